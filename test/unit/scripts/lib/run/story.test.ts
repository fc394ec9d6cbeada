import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApplianceStory } from '../../../../../scripts/lib/run/appliance-story.ts';
import { type ClipView, createStory } from '../../../../../scripts/lib/run/follow-agent.ts';
import { loadPageWords, type StatusView } from '../../../../../scripts/lib/run/page-words.ts';

const BEGAN_MS = Date.UTC(2026, 10, 20, 12);
const at = (seconds: number) => new Date(BEGAN_MS + seconds * 1_000).toISOString();
const VERDICT = { verdict: 'person', decision: 'notified', reason: 'A person was seen.' };
const clip = (clipId: string, triggeredUtc: string, changes: Partial<ClipView> = {}): ClipView => ({
  ...{ clipId, cameraId: 'demo', state: 'uploaded', triggeredUtc, sealedUtc: at(0), uploadedUtc: at(0) },
  ...{ durationMs: 1_000, preRollMs: 0, bytes: 1_000, reason: null, verdict: null },
  ...changes,
});

function follow() {
  const told: string[] = [];
  return { told, story: createStory((sentence) => told.push(sentence), BEGAN_MS) };
}

test('the verdict of a clip of an earlier run is told, and is not the answer', () => {
  const { story, told } = follow();
  assert.deepEqual(story.look([clip('A', at(-60))]), []);
  assert.deepEqual(story.look([clip('A', at(-60), { verdict: VERDICT })]), []);
  assert.match(told.join('\n'), /clip A… of demo: verdict PERSON/);
  assert.equal(story.unjudged(), undefined);
});

test('an earlier clip that appears late, with its verdict, is not the answer', () => {
  const { story } = follow();
  story.look([]);
  assert.deepEqual(story.look([clip('A', at(-60), { verdict: VERDICT })]), []);
});

test('a clip of this run that was judged before the first look is the answer', () => {
  const { story } = follow();
  const [judged] = story.look([clip('B', at(2), { verdict: VERDICT }), clip('A', at(-60))]);
  assert.equal(judged?.clipId, 'B');
});

test('what holds the verdict is said of the oldest clip of this run without one', () => {
  const { story } = follow();
  story.look([clip('C', at(9), { state: 'recording' }), clip('B', at(2)), clip('A', at(-60))]);
  assert.equal(story.unjudged()?.clipId, 'B');
});

const CAMERA = { cameraId: 'yard', title: 'Yard', state: 'live', detail: null } as const;
const status = (changes: Partial<StatusView>): StatusView => ({
  house: { state: 'well', level: 'calm', cameras: [] },
  further: [],
  cameras: [CAMERA],
  conditions: [],
  ...changes,
});

test('a camera is called watched when it gives pictures, and its reason is said when it does not', async () => {
  const told: string[] = [];
  const story = createApplianceStory((sentence) => told.push(sentence), await loadPageWords());
  story.look(status({ cameras: [{ ...CAMERA, state: 'starting' }] }));
  assert.deepEqual(told, []);
  const refused = { ...CAMERA, state: 'refused', detail: '401, the login is refused' } as const;
  for (const cameras of [[refused], [refused], [CAMERA]]) story.look(status({ cameras }));
  assert.deepEqual(told, ['Yard is not watched: 401, the login is refused', 'watching Yard']);
});

test('a full disk behind a person of the last hours is told', async () => {
  const told: string[] = [];
  const story = createApplianceStory((sentence) => told.push(sentence), await loadPageWords());
  const facts = { power: null, disk: { diskFreeBytes: 3_000_000 }, refusedCount: 0 };
  const house = { state: 'person-seen', level: 'trouble', cameras: ['Yard'] } as const;
  const further = [{ state: 'disk-full', level: 'trouble', cameras: [] }] as const;
  story.look({ ...status({ house, further }), ...facts });
  assert.deepEqual(told, ['watching Yard', 'There is no room for clips: the disk is full, 3 MB free.']);
});

test('what is wrong is told when it begins and when it is over, in the words of the page', async () => {
  const told: string[] = [];
  const story = createApplianceStory((sentence) => told.push(sentence), await loadPageWords());
  const wrong = { code: 'disk-unwritable', subject: null, detail: 'EROFS' } as const;
  const full = { house: { state: 'disk-full', level: 'trouble', cameras: [] } } as const;
  const facts = { power: null, disk: { diskFreeBytes: 3_000_000 }, refusedCount: 0 };
  story.look({ ...status({ conditions: [wrong] }), ...facts });
  story.look({ ...status({ conditions: [wrong], ...full }), ...facts });
  story.look({ ...status({}), ...facts });
  assert.deepEqual(told, [
    'watching Yard',
    'The disk cannot be written. Nothing can be recorded. EROFS',
    'There is no room for clips: the disk is full, 3 MB free.',
    'no longer so: The disk cannot be written. Nothing can be recorded.',
    'All is well.',
  ]);
});
