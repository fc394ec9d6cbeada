import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ANALYSIS_DEADLINE_MS,
  ANALYSIS_MARGIN_MS,
  clipBlobName,
  ContractError,
  DEFAULT_ANALYSIS_WAIT_MS,
  isClipId,
  parse,
  parseClipBlobName,
  RetryClipRequest,
} from '@dachawatch/contracts';
import { isOwnClipId, nextClipId } from '../../../agent/ledger/clips/clip-id.ts';
import { clipOfBlob } from '../../../cloud-fn/functions/clip-of-blob.ts';

test('an orchestration waits as long as the worker may take, and the time around it', () => {
  assert.ok(ANALYSIS_MARGIN_MS >= 60_000);
  assert.ok(DEFAULT_ANALYSIS_WAIT_MS >= ANALYSIS_DEADLINE_MS + ANALYSIS_MARGIN_MS);
});

const isInContract = (clipId: string) => {
  try {
    parse(RetryClipRequest, { clipId });
    return true;
  } catch (error) {
    assert.ok(error instanceof ContractError);
    return false;
  }
};
const isInBlobName = (clipId: string) =>
  parseClipBlobName(clipBlobName({ deviceId: 'pi', cameraId: 'gate', clipId, triggeredMs: 0 }))?.clipId ===
  clipId;

const isTaken = (id: string) => [isClipId(id), isInContract(id), isInBlobName(id)];

test('page, messages and names in storage agree on what a clip id is, up to the largest there can be', () => {
  const random = (bytes: number) => new Uint8Array(bytes).fill(255);
  const given = [
    nextClipId({ last: undefined, nowMs: 0 }),
    nextClipId({ last: undefined, nowMs: Date.UTC(2026, 5, 1) }),
    nextClipId({ last: undefined, nowMs: Number.MAX_SAFE_INTEGER, random }),
  ];
  assert.equal(given[2], `7${'Z'.repeat(25)}`);
  for (const id of given) assert.deepEqual([...isTaken(id), isOwnClipId(id)], [true, true, true, true], id);
  const zeros = '0'.repeat(25);
  for (const id of [zeros, `${zeros}00`, `${zeros}I`, `${given[0]}\n`, given[1]?.toLowerCase() ?? ''])
    assert.deepEqual([...isTaken(id), isOwnClipId(id)], [false, false, false, false], id);
});

test('the id of a blob that no appliance recorded fits the contract, and is none of the ledger', () => {
  const ids = Array.from(
    { length: 64 },
    (_, n) => clipOfBlob(`by-hand-${n}.mp4`, 'https://s.test/a').clip_id,
  );
  for (const id of ids) assert.deepEqual(isTaken(id), [true, true, true], id);
  for (const id of ids.filter((one) => one >= '8')) assert.equal(isOwnClipId(id), false, id);
  assert.ok(ids.some((id) => id >= '8'));
});
