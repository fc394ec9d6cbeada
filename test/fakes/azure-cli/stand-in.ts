import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Call {
  readonly command: string;
}

/** What was made in the cloud of a stand-in, and how it breaks. */
export interface Cloud {
  signedIn: boolean;
  groups: Record<
    string,
    {
      location: string;
      tags?: Record<string, string>;
      deployed: string[];
      functions?: string;
      published?: boolean;
      parameters?: Record<string, unknown>;
    }
  >;
  /** The call of this number fails; from 0. */
  fails?: number;
  /** Whoever makes the call of this number is killed, before or after it has taken effect. */
  kills?: { call: number; when: 'before' | 'after' };
}

export interface AzureCli {
  /** For `PATH`: there lies `az`. */
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  cloud(): Cloud;
  set(changes: Partial<Cloud>): void;
  calls(): string[];
  /** Calls that the real one would not have taken. */
  complaints(): string[];
  close(): void;
}

/** A cloud with nothing in it, and an `az` that works on it. */
export function createAzureCli(): AzureCli {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-az-'));
  const az = join(dir, 'az');
  const program = join(import.meta.dirname, 'az.ts');
  writeFileSync(
    az,
    `#!/bin/sh\nexec "${process.execPath}" --disable-warning=ExperimentalWarning "${program}" "$@"\n`,
  );
  chmodSync(az, 0o755);
  const file = join(dir, 'cloud.json');
  const cloud = () => JSON.parse(readFileSync(file, 'utf8')) as Cloud;
  writeFileSync(file, JSON.stringify({ signedIn: true, groups: {} } satisfies Cloud));
  const linesOf = (name: string) => {
    const path = join(dir, name);
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  };
  return {
    path: dir,
    environment: { AZ_STAND_IN: dir },
    cloud,
    set: (changes) => writeFileSync(file, JSON.stringify({ ...cloud(), ...changes })),
    calls: () => linesOf('calls.jsonl').map((line) => (JSON.parse(line) as Call).command),
    complaints: () => linesOf('complaints'),
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
