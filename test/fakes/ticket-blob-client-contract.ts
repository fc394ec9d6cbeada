import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { ClipMetadata } from '@dachawatch/contracts';
import { Failure } from '../../agent/kernel/failure.ts';
import type { TicketBlobClient } from '../../agent/upload/ticket-blob-client.ts';
import { blockId } from '../../agent/upload/upload-clip.ts';

const SHA = 'ab'.repeat(32);
const metadata: ClipMetadata = {
  device_id: 'dacha-1',
  camera_id: 'gate',
  clip_id: '01ARYZ6S410000000000000000',
  event_start_utc: '2026-06-01T12:00:00.000Z',
  pre_roll_ms: '5000',
  duration_ms: '30000',
  sha256: SHA,
  clock_quality: 'synchronised',
  schema: 'dachawatch/clip-metadata/1',
};

/** What every client of a blob promises, of the store in memory and of real storage alike.
 *  @param open a client of a blob that does not exist yet, another one with every call */
export function ticketBlobClientContract(name: string, open: () => Promise<TicketBlobClient>): void {
  const signal = new AbortController().signal;
  const blocks = [randomBytes(1_000), randomBytes(500)] as const;
  const ids = blocks.map(blockId);
  const content = Buffer.concat(blocks);
  const md5 = createHash('md5').update(content).digest();

  test(`${name}: a blob that is not there has no properties, no blocks and no content`, async () => {
    const blob = await open();
    assert.equal(await blob.head(signal), undefined);
    assert.equal((await blob.stagedBlocks(signal)).size, 0);
    assert.equal(await blob.contentSha256(signal), undefined);
    assert.equal(await blob.read(1_000, signal), undefined);
  });

  test(`${name}: staged blocks are listed with their sizes, and are not yet a blob`, async () => {
    const blob = await open();
    for (const [i, id] of ids.entries()) await blob.stageBlock(id, blocks[i]!, signal);
    assert.deepEqual(
      [...(await blob.stagedBlocks(signal))],
      ids.map((id, i) => [id, blocks[i]!.length]),
    );
    assert.equal(await blob.head(signal), undefined);
  });

  test(`${name}: a committed blob has its size, checksum and content; a second commit changes nothing`, async () => {
    const blob = await open();
    for (const [i, id] of ids.entries()) await blob.stageBlock(id, blocks[i]!, signal);
    assert.equal(await blob.commit(ids, metadata, md5, signal), 'made');
    const properties = { bytes: 1_500, sha256: SHA, md5: md5.toString('hex'), archived: false };
    assert.deepEqual(await blob.head(signal), properties);
    assert.deepEqual(await blob.read(10_000, signal), content);
    assert.equal(await blob.contentSha256(signal), createHash('sha256').update(content).digest('hex'));
    await blob.stageBlock(ids[0]!, Buffer.from('other'), signal);
    assert.equal(
      await blob.commit([ids[0]!], { ...metadata, sha256: 'cd'.repeat(32) }, md5, signal),
      'was-there',
    );
    assert.deepEqual(await blob.head(signal), properties);
  });

  test(`${name}: a small blob of ours is written, and written again`, async () => {
    const blob = await open();
    for (const body of ['{}', '[]']) {
      await blob.write(Buffer.from(body), signal);
      assert.equal((await blob.read(10, signal))?.toString(), body);
    }
  });

  test(`${name}: what is larger than asked for is refused`, async () => {
    const blob = await open();
    await blob.stageBlock(ids[0]!, blocks[0], signal);
    await blob.commit([ids[0]!], metadata, md5, signal);
    await assert.rejects(
      blob.read(999, signal),
      (error) => error instanceof Failure && error.kind === 'rejected',
    );
  });

  test(`${name}: committing a block that was never staged is a passing failure`, async () => {
    const blob = await open();
    await blob.stageBlock(ids[0]!, blocks[0], signal);
    await assert.rejects(
      blob.commit(ids, metadata, md5, signal),
      (error) => error instanceof Failure && error.kind === 'transient',
    );
  });

  test(`${name}: nothing is asked when the caller has given up`, async () => {
    const blob = await open();
    await assert.rejects(blob.head(AbortSignal.abort(new Error('given up'))));
  });
}
