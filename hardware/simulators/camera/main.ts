import { parseArgs } from 'node:util';
import { cacheDir } from '../../../scripts/lib/places.ts';
import { startCamera } from './camera.ts';

const HELP = `Usage: node hardware/simulators/camera/main.ts --video FILE [--lead-in S] [--once] [--port N] [--cache DIR]

Serves FILE, any video that ffmpeg reads, as an RTSP camera on 127.0.0.1 with the streams /main and /sub.
  --lead-in S   the first picture stands still for S seconds from the first viewer on (default 0)
  --once        play once, then the last picture stands still (default: again and again)
  --port N      default: one that is free
  --cache DIR   where encoded footage is kept
Prints one JSON object a line: {"ready": true, "mainUrl", "subUrl", "pid"} first, then what happens.`;

const options = {
  help: { type: 'boolean' },
  video: { type: 'string' },
  'lead-in': { type: 'string', default: '0' },
  once: { type: 'boolean', default: false },
  port: { type: 'string', default: '0' },
  cache: { type: 'string' },
} as const;

const print = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
const refuse = (sentence: string, code: number): never => {
  process.stderr.write(`${sentence}\n`);
  process.exit(code);
};

function number(name: string, text: string, most: number): number {
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= most) return value;
  return refuse(`--${name} is a number from 0 to ${most}, not "${text}".`, 2);
}

function readFlags() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse((error as Error).message, 2);
  }
}

const flags = readFlags();
if (flags.help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
const aborted = new AbortController();
const signals = ['SIGTERM', 'SIGINT'] as const;
for (const name of signals) process.once(name, () => aborted.abort());
process.once('disconnect', () => aborted.abort());

try {
  const camera = await startCamera({
    video: flags.video ?? refuse('--video FILE is missing.', 2),
    leadInS: number('lead-in', flags['lead-in'], 86_400),
    loop: !flags.once,
    port: number('port', flags.port, 65_535),
    cacheDir: flags.cache ?? cacheDir(),
    onProgress: (sentence) => process.stderr.write(`${sentence}\n`),
    onEvent: print,
    signal: aborted.signal,
  });
  const ready = { ready: true, mainUrl: camera.mainUrl, subUrl: camera.subUrl, pid: camera.pid };
  print(ready);
  process.send?.(ready);
  if (aborted.signal.aborted) await camera.stop();
  aborted.signal.addEventListener('abort', () => void camera.stop());
  const { code } = await camera.exited;
  if (!aborted.signal.aborted) refuse(`The camera process ended by itself (code ${code}).`, 1);
  process.disconnect?.();
} catch (error) {
  if (!aborted.signal.aborted) refuse((error as Error).message, 1);
}
