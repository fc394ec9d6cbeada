import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Verdict } from '@dachawatch/contracts';
import type { Clock } from '../../../../agent/kernel/clock.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createLedger, type Clip, type Ledger } from '../../../../agent/ledger/ledger.ts';

/** A real ledger with real clips in a folder of its own, and a wall clock that the test sets. */
export interface RealHouse {
  readonly dir: string;
  readonly ledger: Ledger;
  readonly clock: Clock & { wallMs: number };
  /** A fragmented MP4 like the recorder's, four seconds long, and its annotated best frame. */
  readonly video: string;
  readonly picture: string;
  record(cameraId: string, atMs: number): Clip;
  seal(clip: Clip): Promise<Clip>;
  upload(clip: Clip): void;
  judge(clip: Clip, verdict: Partial<Verdict>): void;
  close(): Promise<void>;
}

const CLIP_MS = 4000;

export async function createRealHouse(media: { video?: string; picture?: string } = {}): Promise<RealHouse> {
  const dir = await mkdtemp(join(tmpdir(), 'dashboard-house-'));
  const video = media.video ?? (await makeClip(join(dir, 'made.mp4')));
  const picture = media.picture ?? (await makePicture(join(dir, 'made.jpg')));
  const bytes = await readFile(video);
  const clock = {
    wallMs: Date.now(),
    nowMs: () => clock.wallMs,
    monotonicMs: () => performance.now(),
    sleep: () => Promise.resolve(),
  };
  const ledger = createLedger({
    dir: join(dir, 'data'),
    clock,
    log: createLog('silent', () => undefined),
    maxBytes: 1e9,
    leaseMs: 60_000,
    minFreeBytes: 0,
    recoverTorn: async () => undefined,
  });

  return {
    dir,
    ledger,
    clock,
    video,
    picture,
    record(cameraId, atMs) {
      clock.wallMs = atMs;
      return ledger.openClip({ cameraId, triggeredMs: atMs, clockQuality: 'synchronised' });
    },
    async seal(clip) {
      await copyFile(video, clip.partFile);
      clock.wallMs += CLIP_MS + 800;
      return ledger.sealClip(clip.clipId, {
        startedMs: clip.triggeredMs - 1000,
        preRollMs: 1000,
        durationMs: CLIP_MS,
        bytes: bytes.byteLength,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      });
    },
    upload(clip) {
      clock.wallMs += 15_000;
      const lease = ledger.leaseNext();
      if (lease?.clip.clipId !== clip.clipId) throw new Error('another clip was leased');
      ledger.settleUploaded(lease, `https://storage.example/dacha-video/house-1/${clip.blobName}`);
    },
    judge(clip, verdict) {
      clock.wallMs += 11_000;
      ledger.applyVerdict({
        clip_id: clip.clipId,
        revision: 1,
        instance_id: `clip-${clip.clipId}`,
        verdict: 'nothing',
        labels: [],
        confidence: 0,
        decided_utc: new Date(clock.wallMs).toISOString(),
        decision: 'recorded',
        reason: 'Nothing that counts was seen.',
        ...verdict,
      });
    },
    async close() {
      ledger.close();
      await rm(dir, { recursive: true });
    },
  };
}

const run = promisify(execFile);

async function makeClip(file: string): Promise<string> {
  const input = ['-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=15:duration=${CLIP_MS / 1000}`];
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '15'];
  const fragments = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'];
  const args = ['-nostdin', '-v', 'error', '-y', ...input, ...coding, ...fragments, file];
  await run('ffmpeg', args, { timeout: 300_000 });
  return file;
}

async function makePicture(file: string): Promise<string> {
  const box = 'drawbox=x=260:y=90:w=110:h=220:color=red:t=4';
  const input = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:duration=1'];
  const args = ['-nostdin', '-v', 'error', '-y', ...input, '-vf', box, '-frames:v', '1', file];
  await run('ffmpeg', args, { timeout: 300_000 });
  return file;
}
