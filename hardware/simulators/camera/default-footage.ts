import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { sha256, tellPercent, type OnProgress } from './footage.ts';

const PACKAGE = 'opencv-doc';
const FILE = 'usr/share/doc/opencv-doc/examples/data/vtest.avi';
const SHA256 = '45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf';
const DOWNLOAD_MS = 15 * 60_000;

interface Fetching {
  /** Where to. */
  readonly dir: string;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Real footage for a first try: people walking across a campus, from Debian's package opencv-doc. The package is
 *  fetched but not installed, and only this file of it is kept.
 *  @returns the video file in `cacheDir`; throws an Error with one sentence for a person when it cannot be had */
export async function defaultFootage(
  cacheDir: string,
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<string> {
  const file = join(cacheDir, 'video', `vtest-${SHA256.slice(0, 8)}.avi`);
  if (existsSync(file)) return file;
  await mkdir(join(cacheDir, 'video'), { recursive: true });
  const temporary = await mkdtemp(join(cacheDir, 'video', '.fetch-'));
  try {
    await download({ dir: temporary, onProgress, signal });
    const archive = (await readdir(temporary)).find((name) => name.endsWith('.deb'));
    if (!archive) throw new Error(`apt-get brought no archive of the Debian package ${PACKAGE}.`);
    const unpacked = await unpack(join(temporary, archive), temporary);
    if ((await sha256(unpacked)) !== SHA256) {
      throw new Error(
        `The video in Debian's ${PACKAGE} is not the one we know; give your own with --video FILE.`,
      );
    }
    await rename(unpacked, file);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return file;
}

/** Fetches the package's archive into `dir`; when apt does not know the package, its lists are refreshed once. */
async function download(how: Fetching): Promise<void> {
  const known = await promisify(execFile)('apt-cache', ['show', PACKAGE], { timeout: 60_000 }).then(
    () => true,
    () => false,
  );
  if (!known) await aptGet(['update'], 'fetching the package lists', how);
  await aptGet(['download', PACKAGE], `fetching real footage (Debian package ${PACKAGE})`, how);
}

async function aptGet(command: string[], what: string, { dir, onProgress, signal }: Fetching) {
  // As root, apt would drop to a user who may not write here, and warn about it.
  const options = [
    '-qq',
    '-o',
    'APT::Sandbox::User=root',
    '-o',
    'APT::Status-Fd=1',
    '-o',
    'Acquire::Retries=3',
  ];
  const child = spawn('apt-get', [...options, ...command], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DOWNLOAD_MS,
    ...(signal && { signal }),
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const tell = tellPercent(what, onProgress);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
    if (percent !== undefined) tell(Number(percent) / 100);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code === 0) return;
  const last = complaint.trim().split('\n').at(-1) ?? '';
  throw new Error(
    `Real footage is not to be had now (apt-get: ${last}); try again with a network, or give a video with --video FILE.`,
  );
}

/** @returns the video, unpacked below `dir` */
async function unpack(archive: string, dir: string): Promise<string> {
  const data = spawn('dpkg-deb', ['--fsys-tarfile', archive], { stdio: ['ignore', 'pipe', 'ignore'] });
  const tar = spawn('tar', ['-x', '-C', dir, '-f', '-', `./${FILE}`], {
    stdio: [data.stdout, 'ignore', 'ignore'],
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    data.once('error', reject);
    tar.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new Error(`Debian's ${PACKAGE} does not hold ${FILE}.`);
  return join(dir, FILE);
}
