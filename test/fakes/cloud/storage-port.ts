import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortFailure } from '../../../cloud-fn/ports/port-failure.ts';
import type { BlobPlace, StoragePort } from '../../../cloud-fn/ports/storage.ts';

interface Held {
  bytes: Buffer;
  etag: string;
  writtenMs: number;
  tags: Record<string, string>;
}

/** Storage in memory. `nowMs` is the storage server's clock; `fail` makes calls throw. */
export function createFakeStorage() {
  const blobs = new Map<string, Held>();
  const queues = new Map<string, string[]>();
  const ids = new Map<string, string[]>();
  const hiddenUntilMs = new Map<string, number>();
  let writes = 0;
  const keyOf = ({ container, name }: BlobPlace) => `${container}/${name}`;
  const put = (place: BlobPlace, bytes: Buffer | string, tags: Record<string, string> = {}) => {
    writes += 1;
    blobs.set(keyOf(place), { bytes: Buffer.from(bytes), etag: `"${writes}"`, writtenMs: fake.nowMs, tags });
  };
  const port: StoragePort = {
    async createBlob(place, { bytes }) {
      fake.fail('createBlob', place);
      if (blobs.has(keyOf(place))) return false;
      put(place, bytes);
      return true;
    },
    async replaceBlob(place, { bytes }, ifMatch) {
      fake.fail('replaceBlob', place);
      const held = blobs.get(keyOf(place));
      if (held?.etag !== ifMatch) return false;
      put(place, bytes);
      return true;
    },
    async writeBlob(place, { bytes }) {
      fake.fail('writeBlob', place);
      put(place, bytes);
    },
    async readBlob(place, maxBytes) {
      fake.fail('readBlob', place);
      const held = blobs.get(keyOf(place));
      if (!held) return undefined;
      if (held.bytes.length > maxBytes)
        throw new PortFailure('rejected', 'storage.too-large', `${place.name} is too large`);
      return { bytes: held.bytes, etag: held.etag, ageMs: fake.nowMs - held.writtenMs };
    },
    async hasBlob(place) {
      fake.fail('hasBlob', place);
      return blobs.has(keyOf(place));
    },
    async listBlobs(container, prefix, most) {
      fake.fail('listBlobs', { container, name: prefix });
      const start = `${container}/${prefix}`;
      return [...blobs]
        .filter(([key]) => key.startsWith(start))
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .slice(0, most)
        .map(([key, held]) => ({
          name: key.slice(container.length + 1),
          ageMs: fake.nowMs - held.writtenMs,
        }));
    },
    async deleteBlob(place, ifMatch) {
      fake.fail('deleteBlob', place);
      return blobs.get(keyOf(place))?.etag === ifMatch && blobs.delete(keyOf(place));
    },
    async readTags(place) {
      fake.fail('readTags', place);
      const tags = blobs.get(keyOf(place))?.tags;
      return tags && { ...tags };
    },
    async writeTags(place, tags) {
      fake.fail('writeTags', place);
      const held = blobs.get(keyOf(place));
      if (held) held.tags = { ...tags };
      return held !== undefined;
    },
    async sendMessage(queue, text) {
      fake.fail('sendMessage', { container: queue, name: '' });
      queues.set(queue, [...(queues.get(queue) ?? []), text]);
      ids.set(queue, [...(ids.get(queue) ?? []), `message-${(writes += 1)}`]);
    },
    async receiveMessages(queue, hiddenS) {
      fake.fail('receiveMessages', { container: queue, name: '' });
      const all = queues.get(queue) ?? [];
      const found = all.flatMap((text, at) => {
        const id = ids.get(queue)?.[at] ?? '';
        if ((hiddenUntilMs.get(id) ?? 0) > fake.nowMs) return [];
        return [{ id, receipt: id, text }];
      });
      for (const { id } of found.slice(0, 32)) hiddenUntilMs.set(id, fake.nowMs + hiddenS * 1_000);
      return found.slice(0, 32);
    },
    async deleteMessage(queue, { id }) {
      fake.fail('deleteMessage', { container: queue, name: '' });
      const at = ids.get(queue)?.indexOf(id) ?? -1;
      if (at < 0) return false;
      queues.set(queue, (queues.get(queue) ?? []).toSpliced(at, 1));
      ids.set(queue, (ids.get(queue) ?? []).toSpliced(at, 1));
      return true;
    },
  };
  const fake = {
    port,
    nowMs: 0,
    /** Called first by every operation; throws to make it fail. */
    fail: (_operation: keyof StoragePort, _place: BlobPlace): void => {},
    messages: (queue: string): readonly string[] => queues.get(queue) ?? [],
    names: (): readonly string[] => [...blobs.keys()].toSorted(),
    document: (name: string): unknown => JSON.parse(blobs.get(name)?.bytes.toString('utf8') ?? 'null'),
    tags: (name: string): Readonly<Record<string, string>> | undefined => blobs.get(name)?.tags,
  };
  return fake;
}

/** What the fake and the real thing both promise.
 *  @param open storage whose containers may or may not exist; called once */
export function testStoragePort(title: string, open: () => Promise<StoragePort>): void {
  let storage: Promise<StoragePort> | undefined;
  const opened = () => (storage ??= open());
  const text = (bytes: string) => ({ bytes, contentType: 'text/plain' });
  const place = (name: string) => ({ container: 'port-promises', name });

  test(`${title}: of many that create a blob at once exactly one succeeds, and its content stays`, async () => {
    const port = await opened();
    const created = await Promise.all(
      ['a', 'b', 'c', 'd'].map((bytes) => port.createBlob(place('once'), text(bytes))),
    );
    assert.equal(created.filter(Boolean).length, 1);
    const blob = await port.readBlob(place('once'), 10);
    assert.equal(blob?.bytes.toString(), ['a', 'b', 'c', 'd'][created.indexOf(true)]);
    assert.ok((blob?.ageMs ?? -1) >= 0);
  });

  test(`${title}: a blob is replaced only by who has seen its latest state`, async () => {
    const port = await opened();
    await port.writeBlob(place('swap'), text('1'));
    const seen = (await port.readBlob(place('swap'), 10))?.etag ?? '';
    assert.equal(await port.replaceBlob(place('swap'), text('2'), seen), true);
    assert.equal(await port.replaceBlob(place('swap'), text('3'), seen), false);
    assert.equal((await port.readBlob(place('swap'), 10))?.bytes.toString(), '2');
  });

  test(`${title}: a blob that somebody replaces meanwhile is read whole, as it was at one moment`, async () => {
    const port = await opened();
    const longer = (n: number) => port.writeBlob(place('busy'), text(String(n % 10).repeat(4_000 + n)));
    await longer(0);
    const written = (async () => {
      for (let n = 1; n <= 60; n += 1) await longer(n);
    })();
    for (let read = 0; read < 60; read += 1) {
      const found = (await port.readBlob(place('busy'), 10_000))?.bytes.toString() ?? '';
      assert.match(found, /^(\d)\1+$/);
      assert.equal(found[0], String((found.length - 4_000) % 10));
    }
    await written;
    assert.equal((await port.readBlob(place('busy'), 10_000))?.bytes.length, 4_060);
  });

  test(`${title}: what does not exist is undefined or false, and what is too large is refused`, async () => {
    const port = await opened();
    assert.equal(await port.readBlob(place('none'), 10), undefined);
    assert.equal(await port.readTags(place('none')), undefined);
    assert.equal(await port.writeTags(place('none'), { a: 'b' }), false);
    assert.equal(await port.replaceBlob(place('none'), text('x'), '"1"'), false);
    await port.writeBlob(place('large'), text('12345678901'));
    await assert.rejects(port.readBlob(place('large'), 10), { code: 'storage.too-large', kind: 'rejected' });
  });

  test(`${title}: blobs are listed by the beginning of their names, in order, and not more than asked for`, async () => {
    const port = await opened();
    for (const name of ['list/c', 'list/a', 'list/b', 'other']) await port.writeBlob(place(name), text(name));
    const all = await port.listBlobs('port-promises', 'list/', 10);
    assert.deepEqual(
      all.map(({ name }) => name),
      ['list/a', 'list/b', 'list/c'],
    );
    assert.ok(all.every(({ ageMs }) => ageMs >= 0));
    assert.equal((await port.listBlobs('port-promises', 'list/', 2)).length, 2);
    assert.deepEqual(await port.listBlobs('port-promises-none', '', 10), []);
  });

  test(`${title}: a blob is deleted only by who has seen its latest state`, async () => {
    const port = await opened();
    await port.writeBlob(place('gone'), text('1'));
    const seen = (await port.readBlob(place('gone'), 10))?.etag ?? '';
    await port.writeBlob(place('gone'), text('2'));
    assert.equal(await port.deleteBlob(place('gone'), seen), false);
    assert.equal(await port.hasBlob(place('gone')), true);
    const latest = (await port.readBlob(place('gone'), 10))?.etag ?? '';
    assert.equal(await port.deleteBlob(place('gone'), latest), true);
    assert.equal(await port.hasBlob(place('gone')), false);
    assert.equal(await port.deleteBlob(place('gone'), latest), false);
  });

  test(`${title}: tags are read back as written`, async () => {
    const port = await opened();
    await port.writeBlob(place('tagged'), text('x'));
    assert.deepEqual(await port.readTags(place('tagged')), {});
    assert.equal(await port.writeTags(place('tagged'), { verdict: 'safe', reviewed: 'false' }), true);
    assert.deepEqual(await port.readTags(place('tagged')), { verdict: 'safe', reviewed: 'false' });
  });

  test(`${title}: a message goes into a queue that did not exist`, async () => {
    const port = await opened();
    await port.sendMessage('port-promises-queue', '{"a":"<&>"}', 'for-ever');
  });

  test(`${title}: a message is received as it was sent, hidden from others, and deleted by who received it`, async () => {
    const port = await opened();
    assert.deepEqual(await port.receiveMessages('port-promises-none', 1), []);
    await port.sendMessage('port-promises-received', '{"a":"<&>"}', 'for-ever');
    const [message, ...others] = await port.receiveMessages('port-promises-received', 600);
    assert.deepEqual([message?.text, others], ['{"a":"<&>"}', []]);
    assert.deepEqual(await port.receiveMessages('port-promises-received', 600), []);
    assert.ok(message);
    assert.equal(await port.deleteMessage('port-promises-received', message), true);
    assert.equal(await port.deleteMessage('port-promises-received', message), false);
  });
}
