import type { Verdict } from '@dachawatch/contracts';
import { readDelivery } from '../../../../cloud-fn/ports/notification-outbox.ts';
import type { StoragePort } from '../../../../cloud-fn/ports/storage.ts';
import type { createHearing } from './hearing.ts';

/** The storage of the world, with an eye on what is written into it. */
export function watching(
  port: StoragePort,
  revisions: Map<string, number[]>,
  hearing: ReturnType<typeof createHearing>,
  say: (line: string) => void,
): StoragePort {
  const look = (name: string, bytes: Buffer | string) => {
    if (name.endsWith('.verdict.json')) {
      const { revision, verdict, decision } = JSON.parse(bytes.toString()) as Verdict;
      const clip = name.replace(/\.verdict\.json$/, '.mp4');
      revisions.set(clip, [...(revisions.get(clip) ?? []), revision]);
      say(`stored ${verdict}/${decision} as ${revision}: ${clip}`);
    }
    const told = /\/told-(.+)\.json$/.exec(name)?.[1];
    const delivery = told === undefined ? undefined : readDelivery(Buffer.from(bytes));
    if (told !== undefined && delivery?.accepted.includes('webhook') === true) {
      const blobName = delivery.notification.clip?.blobName ?? '';
      hearing.noted(told, blobName.slice(blobName.indexOf('/') + 1));
    }
  };
  return {
    ...port,
    async createBlob(place, content) {
      const ours = await port.createBlob(place, content);
      if (ours) look(place.name, content.bytes);
      return ours;
    },
    async replaceBlob(place, content, ifMatch) {
      const ours = await port.replaceBlob(place, content, ifMatch);
      if (ours) look(place.name, content.bytes);
      return ours;
    },
    async writeBlob(place, content) {
      await port.writeBlob(place, content);
      look(place.name, content.bytes);
    },
  };
}
