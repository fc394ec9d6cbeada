import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import { ClipProblem } from '../clip-problem.ts';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Path of a clip inside the container of the clips, out of the address in a request.
 *  The address itself is never opened: the worker asks its own account for that path, so a request cannot make it
 *  call another host. An address of another account, or of another container, is refused all the same, because its
 *  sender meant something we do not do.
 *  @param accountUrl blob endpoint of the configured account
 *  @throws ClipProblem `clip.foreign-address` */
export function clipPath(blobUrl: string, accountUrl: string): string {
  const account = new URL(accountUrl);
  const refuse = (why: string) =>
    new ClipProblem('clip.foreign-address', `the clip's address ${why}`, { final: true });
  let clip: URL;
  try {
    clip = new URL(blobUrl);
  } catch {
    throw refuse('is not an address');
  }
  if (clip.protocol !== account.protocol || !isSameHost(clip, account))
    throw refuse(`is on ${clip.protocol}//${clip.host}, not in the storage account of this worker`);
  const folder = `${account.pathname.replace(/\/$/, '')}/${CONTAINER_CLIPS}/`;
  if (!clip.pathname.startsWith(folder)) throw refuse(`is not in the container ${CONTAINER_CLIPS}`);
  let path: string;
  try {
    path = decodeURIComponent(clip.pathname.slice(folder.length));
  } catch {
    throw refuse('has a broken escape');
  }
  if (path === '' || path.endsWith('/') || path.includes('\\')) throw refuse('names no file');
  return path;
}

/** Storage on this machine may have another port after a restart than when the request was written. */
function isSameHost(clip: URL, account: URL): boolean {
  if (LOOPBACK.has(account.hostname)) return LOOPBACK.has(clip.hostname);
  return clip.host === account.host;
}

/** The annotated best frame of a clip: its path without the extension is the folder. Always the same name, so
 *  that a second analysis replaces the first one's picture. */
export const bestFramePath = (path: string): string => `${path.replace(/\.[^./]+$/, '')}/best.jpg`;
