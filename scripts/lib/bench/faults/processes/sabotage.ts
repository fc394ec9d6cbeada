/** Breaks what the house promises, on purpose and where nobody of the house looks: so that it is known that the harness
 *  notices. Without a sabotage everything goes straight through. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync, truncateSync, unlinkSync } from 'node:fs';
import { basename } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import type { HubLink } from '../../../../../agent/hub/hub.ts';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import type { Ledger, WrittenClip } from '../../../../../agent/ledger/ledger.ts';
import type { OpenBlob } from '../../../../../agent/upload/ticket-blob-client.ts';
import { metadataOf } from '../../../../../agent/upload/upload-clip.ts';
import { DEVICE, type Sabotage } from '../settings.ts';

export interface Saboteur {
  /** What comes to a clip without a row is not sabotaged. */
  hasRow(clipId: string): boolean;
  readonly openBlob: OpenBlob;
  /** What the ledger is told of a clip. */
  written(clipId: string, written: WrittenClip): WrittenClip;
  /** Its row says so. */
  sealed(clipId: string): void;
}

export interface SaboteurDeps {
  readonly ledger: Pick<Ledger, 'clip'>;
  readonly hub: Pick<HubLink, 'requestTicket' | 'returnTicket'>;
  readonly openBlob: OpenBlob;
  readonly dir: string;
}

export function createSaboteur(
  sabotage: Sabotage | undefined,
  { ledger, hub, openBlob, dir }: SaboteurDeps,
): Saboteur {
  const places = (clipId: string) => {
    const clip = ledger.clip(clipId);
    if (!clip) throw new Error(`sabotage: no clip ${clipId}`);
    return clip;
  };
  function hasRow(clipId: string): boolean {
    try {
      return ledger.clip(clipId) !== undefined;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return false;
    }
  }

  /** The same clip once more, under the name of another day. */
  async function uploadAgain(clipId: string): Promise<void> {
    const clip = places(clipId);
    const bytes = readFileSync(clip.file);
    const ticket = await hub.requestTicket(clip.blobName.replace(/\d{4}\/\d{2}\/\d{2}/, '2001/01/01'));
    const client = openBlob(ticket);
    const id = randomBytes(16).toString('base64');
    const signal = AbortSignal.timeout(5_000);
    await client.stageBlock(id, bytes, signal);
    await client.commit([id], metadataOf(clip, DEVICE), createHash('md5').update(bytes).digest(), signal);
    await hub.returnTicket(ticket.correlationId, {
      isSuccess: true,
      statusCode: 201,
      statusDescription: 'again',
    });
  }

  function forgetRow(clipId: string): void {
    const db = new Sqlite(ledgerFile(dir));
    db.pragma('foreign_keys = OFF');
    db.prepare('DELETE FROM clips WHERE clip_id = ?').run(clipId);
    db.close();
  }

  /** A sealed clip of which most is gone. */
  function cut(clipId: string): void {
    const { partFile } = places(clipId);
    truncateSync(partFile, Math.floor(statSync(partFile).size * 0.3));
  }

  return {
    hasRow,
    openBlob: (ticket) => {
      const client = openBlob(ticket);
      if (sabotage === 'upload-twice') {
        const commit: typeof client.commit = async (...args) => {
          await uploadAgain(basename(client.url, '.mp4'));
          return client.commit(...args);
        };
        return { ...client, commit };
      }
      if (sabotage !== 'flip-byte') return client;
      const stageBlock: typeof client.stageBlock = (id, body, signal) => {
        const other = Buffer.from(body);
        other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 1;
        return client.stageBlock(id, other, signal);
      };
      return { ...client, stageBlock };
    },
    written(clipId, written) {
      if (sabotage === 'cut-fragment' && hasRow(clipId)) cut(clipId);
      return written;
    },
    sealed(clipId) {
      if (sabotage === undefined || !hasRow(clipId)) return;
      if (sabotage === 'delete-sealed') unlinkSync(places(clipId).file);
      if (sabotage === 'forget-row') forgetRow(clipId);
    },
  };
}
