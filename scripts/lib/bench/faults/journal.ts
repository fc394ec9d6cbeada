/** What processes under fire have said they did, on disk apart from their own data: a killed process keeps what it has
 *  written here. Lines, one JSON object each. */
import { fstatSync, openSync, readSync, writeSync } from 'node:fs';

export type Note =
  /** The house begins: what its process before had in memory is gone. */
  | { readonly did: 'started' }
  /** A place was given: a clip exists from here on. `hasRow` is false when the ledger could not be used. */
  | {
      readonly did: 'opened';
      readonly clipId: string;
      readonly cameraId: string;
      readonly partFile: string;
      readonly hasRow: boolean;
    }
  /** The writer was given the clip's next fragment. */
  | ({ readonly did: 'given'; readonly clipId: string } & GivenFragment)
  /** The system said that so many fragments and bytes are on disk. */
  | { readonly did: 'synced'; readonly clipId: string; readonly fragments: number; readonly bytes: number };

export interface GivenFragment {
  /** Of its `mdat`, which nobody may change and which no other fragment has. */
  readonly sha256: string;
  readonly ms: number;
  /** It came one at a time, behind the trigger; not with what was kept from before. */
  readonly live: boolean;
}

/** One clip as its writer told of it. */
export interface JournalClip {
  readonly clipId: string;
  readonly cameraId: string;
  readonly partFile: string;
  /** When its place was given. */
  readonly hadRow: boolean;
  /** The house was started anew since. */
  isOfBefore: boolean;
  /** In the order of the recording. */
  readonly fragments: GivenFragment[];
  /** How many of them are known to be on disk, and in how many bytes of the part file. */
  durable: number;
  durableBytes: number;
}

export interface JournalWriter {
  write(note: Note): void;
}

export function openJournal(file: string): JournalWriter {
  const fd = openSync(file, 'a', 0o600);
  return { write: (note) => void writeSync(fd, `${JSON.stringify(note)}\n`) };
}

export interface JournalReader {
  readonly clips: ReadonlyMap<string, JournalClip>;
  /** Reads on where the last reading ended. */
  read(): void;
}

export function createJournalReader(file: string): JournalReader {
  const clips = new Map<string, JournalClip>();
  const fd = openSync(file, 'a+', 0o600);
  let at = 0;

  function take(note: Note): void {
    if (note.did === 'started') {
      for (const clip of clips.values()) clip.isOfBefore = true;
      return;
    }
    if (note.did === 'opened') {
      const { clipId, cameraId, partFile, hasRow } = note;
      clips.set(clipId, {
        ...{ clipId, cameraId, partFile, hadRow: hasRow, isOfBefore: false },
        ...{ fragments: [], durable: 0, durableBytes: 0 },
      });
      return;
    }
    const clip = clips.get(note.clipId);
    if (!clip) return;
    if (note.did === 'given') clip.fragments.push(note);
    else [clip.durable, clip.durableBytes] = [note.fragments, note.bytes];
  }

  return {
    clips,
    read() {
      const bytes = Buffer.alloc(fstatSync(fd).size - at);
      readSync(fd, bytes, 0, bytes.length, at);
      const end = bytes.lastIndexOf(10) + 1;
      at += end;
      for (const line of bytes.subarray(0, end).toString('utf8').split('\n'))
        if (line !== '') take(JSON.parse(line) as Note);
    },
  };
}
