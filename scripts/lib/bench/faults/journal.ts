/** What processes under fire have said they did, on disk apart from their own data: a killed process keeps what it has
 *  written here. Lines, one JSON object each. */
import { fstatSync, openSync, readSync, writeSync } from 'node:fs';

export type Note =
  /** A place was given: a clip exists from here on. */
  | { readonly did: 'opened'; readonly clipId: string; readonly cameraId: string; readonly partFile: string }
  /** The recorder was given a fragment for the clip after its trigger, one at a time. */
  | { readonly did: 'fed'; readonly clipId: string; readonly index: number; readonly ms: number }
  /** The system took these bytes; index -1 is the init segment. */
  | {
      readonly did: 'wrote';
      readonly clipId: string;
      readonly index: number;
      readonly sha256: string;
      readonly bytes: number;
      readonly ms: number;
    }
  /** The system said that all that was written so far is on disk. */
  | { readonly did: 'synced'; readonly clipId: string }
  | { readonly did: 'sealed'; readonly clipId: string; readonly sha256: string };

export interface WrittenFragment {
  readonly sha256: string;
  readonly bytes: number;
  readonly ms: number;
}

/** One clip as its writers told of it. */
export interface JournalClip {
  readonly clipId: string;
  readonly cameraId: string;
  readonly partFile: string;
  init: WrittenFragment | undefined;
  /** In the order of the recording. */
  readonly fragments: WrittenFragment[];
  /** How many of them are known to be on disk. */
  durable: number;
  durableBytes: number;
  /** Milliseconds of fragments that were given to the writer, by index, after the trigger. */
  readonly fed: Map<number, number>;
  sealedSha256: string | undefined;
}

export interface JournalWriter {
  write(note: Note): void;
}

export function openJournal(file: string): JournalWriter {
  const fd = openSync(file, 'a', 0o600);
  return { write: (note) => void writeSync(fd, `${JSON.stringify(note)}\n`) };
}

/** Reads on where the last reading ended. */
export function createJournalReader(file: string) {
  const clips = new Map<string, JournalClip>();
  const fd = openSync(file, 'a+', 0o600);
  let at = 0;

  function take(note: Note): void {
    if (note.did === 'opened') {
      const { clipId, cameraId, partFile } = note;
      clips.set(clipId, {
        ...{ clipId, cameraId, partFile, init: undefined, fragments: [], durable: 0, durableBytes: 0 },
        ...{ fed: new Map<number, number>(), sealedSha256: undefined },
      });
      return;
    }
    const clip = clips.get(note.clipId);
    if (!clip) return;
    if (note.did === 'fed') clip.fed.set(note.index, note.ms);
    if (note.did === 'sealed') clip.sealedSha256 = note.sha256;
    if (note.did === 'wrote') {
      const { sha256, bytes, ms } = note;
      if (note.index < 0) clip.init = { sha256, bytes, ms };
      else clip.fragments.push({ sha256, bytes, ms });
    }
    if (note.did === 'synced') {
      clip.durable = clip.fragments.length;
      clip.durableBytes = (clip.init?.bytes ?? 0) + clip.fragments.reduce((sum, { bytes }) => sum + bytes, 0);
    }
  }

  let marked = 0;
  return {
    clips: clips as ReadonlyMap<string, JournalClip>,
    mark() {
      marked = clips.size;
    },
    /** Whether a clip has begun since `mark`. */
    begun(): boolean {
      this.read();
      return clips.size > marked;
    },
    read(): void {
      const bytes = Buffer.alloc(fstatSync(fd).size - at);
      readSync(fd, bytes, 0, bytes.length, at);
      const end = bytes.lastIndexOf(10) + 1;
      at += end;
      for (const line of bytes.subarray(0, end).toString('utf8').split('\n'))
        if (line !== '') take(JSON.parse(line) as Note);
    },
  };
}
export type JournalReader = ReturnType<typeof createJournalReader>;
