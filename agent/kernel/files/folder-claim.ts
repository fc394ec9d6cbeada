import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';

export interface FolderClaim {
  release(): void;
}

/** The name of the claim's socket: the folder's identity, not its path, so that a link to it is the same folder. */
function nameOf(dir: string, purpose: string): string {
  const { dev, ino } = statSync(dir, { bigint: true });
  return `dachawatch/${purpose}/${dev}/${ino}`;
}

/** Claims a folder for this process by a socket in Linux's abstract namespace. Nobody can delete it, it needs no
 *  room on any disk, and the system drops it when the process ends, however it ends.
 *  It is seen by processes that share our network: in a container with a network of its own the lock file beside it
 *  counts alone. Elsewhere than on Linux there is no such namespace, and every claim is granted.
 *  @returns undefined when another process, or another part of this one, has claimed it
 *  @throws the system's error when the folder cannot be looked at */
export function claimFolder(dir: string, purpose: string): FolderClaim | undefined {
  const name = nameOf(dir, purpose);
  if (process.platform !== 'linux') return { release: () => undefined };
  // Who connects is hung up on: the name is all that is wanted.
  const server = createServer((socket) => socket.destroy());
  // That the name is taken is seen below, at once; the event comes later.
  server.on('error', () => undefined);
  server.listen(`\0${name}`);
  if (!server.listening) return undefined;
  server.unref();
  return { release: () => void server.close() };
}

/** Whether some process has claimed the folder just now. */
export function isClaimed(dir: string, purpose: string): boolean {
  if (process.platform !== 'linux') return false;
  const name = `@${nameOf(dir, purpose)}`;
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .some((line) => line.endsWith(` ${name}`));
}
