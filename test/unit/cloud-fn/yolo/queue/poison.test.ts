import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putAside } from '../../../../../cloud-fn/yolo/queue/poison.ts';

const ERROR = { code: 'bad-json', message: 'the message is not JSON' } as const;

async function aside(original: string) {
  const kept = new Map<string, string>();
  const notes: Record<string, string>[] = [];
  await putAside(
    {
      send: async (text) => notes.push(JSON.parse(text) as Record<string, string>),
      keepText: async (name, text) => {
        kept.set(name, text);
        return `frames/${name}`;
      },
      nowMs: () => Date.UTC(2026, 10, 21),
    },
    original,
    ERROR,
  );
  return { notes, kept };
}

test('a message put aside carries its reason, itself and the time', async () => {
  const { notes, kept } = await aside('{"half');
  assert.deepEqual(notes, [
    {
      reason: 'bad-json',
      message: 'the message is not JSON',
      at: '2026-11-21T00:00:00.000Z',
      original: '{"half',
    },
  ]);
  assert.equal(kept.size, 0);
});

test('of a message too large to be quoted nothing is lost either', async () => {
  for (const original of ['x'.repeat(65_536), '\u0000'.repeat(9000), '"'.repeat(20_000)]) {
    const { notes, kept } = await aside(original);
    const place = notes[0]?.['original_blob'] ?? '';
    assert.equal(kept.get(place.replace('frames/', '')), original);
    assert.ok(JSON.stringify(notes[0]).length < 1000);
  }
});
