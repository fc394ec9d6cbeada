import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipIdOf } from '../../../fakes/ledger-view.ts';
import { judged, servePage } from './served-page.ts';

const page = servePage();
const { get, keep } = page;

test('clips come newest first, page by page, each once', async () => {
  for (let n = 1; n <= 7; n++) keep(n);
  const seen: string[] = [];
  let next = '';
  for (let pages = 0; pages < 10; pages++) {
    const page = (await get(`/api/clips?limit=3${next && `&before=${next}`}`)).json();
    seen.push(...page.clips.map((clip: { clipId: string }) => clip.clipId));
    next = page.next;
    if (!next) break;
  }
  assert.deepEqual(seen, [7, 6, 5, 4, 3, 2, 1].map(clipIdOf));
});

test('a page that is exactly full has no next one', async () => {
  for (let n = 1; n <= 3; n++) keep(n);
  assert.equal((await get('/api/clips?limit=3')).json().next, null);
});

test('a clip tells its verdict, its player and its history', async () => {
  keep(5, judged(5));
  const clip = (await get(`/api/clips/${clipIdOf(5)}`)).json();
  assert.deepEqual([clip.verdict.verdict, clip.verdict.confidence], ['person', 0.87]);
  assert.equal(clip.video, `/clips/${clipIdOf(5)}.mp4`);
  assert.equal(clip.bestFrame, `/clips/${clipIdOf(5)}/best.jpg?revision=2`);
  assert.equal(clip.cameraTitle, 'Gate');
  assert.deepEqual(clip.custody, []);
});
