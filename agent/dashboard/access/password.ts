import { randomBytes, randomInt, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../kernel/failure.ts';
import { replaceDurably } from '../../kernel/files/durable-file.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';

/** What is kept of a password: enough to know it again, and not to tell it. */
export interface KeptPassword {
  /** Another one for each password that was made. */
  readonly id: string;
  readonly salt: Buffer;
  readonly hash: Buffer;
  readonly options: ScryptOptions;
}

const FILE = 'page-password';
const MAX_BYTES = 4_096;
const HASH_BYTES = 32;
/** 32 MB and about a tenth of a second on a fast machine, a few on a Raspberry Pi. */
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
/** A file that asks for more was not written by us. */
const COST_MAX = { N: 2 ** 17, r: 8, p: 4 } as const;
const MEMORY_MAX = 256 * 1024 * 1024;

/** Without letters that are mistaken for others. */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
const GROUPS = 4;
const GROUP = 4;

export const passwordFile = (dataDir: string) => join(dataDir, FILE);

/** Some 79 bits: `k7m2-x9pd-4fhc-w3tn`. */
export const newPassword = (): string =>
  Array.from({ length: GROUPS }, () =>
    Array.from({ length: GROUP }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  ).join('-');

/** As it is typed on a phone: capitals, spaces and dashes make no difference. */
const normal = (typed: string) => typed.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** From now on this one opens the page, and no session of before.
 *  @throws the system's error; the password of before stays then */
export async function keepPassword(dataDir: string, password: string): Promise<void> {
  const salt = randomBytes(16);
  const hash = await hashed(password, salt, COST);
  const { N, r, p } = COST;
  const parts = [N, r, p, salt.toString('base64url'), hash.toString('base64url')];
  replaceDurably(passwordFile(dataDir), `scrypt ${parts.join(' ')}\n`);
}

/** @returns undefined when none was made
 *  @throws Failure `corrupt` `dashboard.password-file` when it cannot be made out, else the system's error */
export function readPassword(dataDir: string): KeptPassword | undefined {
  let text: string;
  try {
    text = readSmallText(passwordFile(dataDir), MAX_BYTES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [, N, r, p, salt = '', hash = ''] =
    /^scrypt (\d{1,7}) (\d{1,2}) (\d{1,2}) ([\w-]{22}) ([\w-]{43})\n$/.exec(text) ?? [];
  const options = { N: Number(N), r: Number(r), p: Number(p) };
  const isOurs = options.N <= COST_MAX.N && options.r <= COST_MAX.r && options.p <= COST_MAX.p;
  if (hash === '' || !isOurs)
    throw new Failure(
      'corrupt',
      'dashboard.password-file',
      'The file of the page’s password is damaged: make a new password.',
    );
  return {
    id: salt,
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url'),
    options,
  };
}

/** As `readPassword`, and the file is read again only when it is another one: it is asked for with each request. */
export function createPasswordReader(dataDir: string): () => KeptPassword | undefined {
  let seen = '';
  let kept: KeptPassword | undefined;
  return () => {
    const stats = statSync(passwordFile(dataDir), { bigint: true, throwIfNoEntry: false });
    const now = stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs}` : 'none';
    if (now !== seen) {
      kept = readPassword(dataDir);
      seen = now;
    }
    return kept;
  };
}

/** Takes as long for a wrong one as for the right one. */
export async function isPassword(typed: string, { salt, hash, options }: KeptPassword): Promise<boolean> {
  return timingSafeEqual(await hashed(typed, salt, options), hash);
}

const hashed = (password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(normal(password), salt, HASH_BYTES, { ...options, maxmem: MEMORY_MAX }, (error, hash) =>
      error ? reject(error) : resolve(hash),
    );
  });
