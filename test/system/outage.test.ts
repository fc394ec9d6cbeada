import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { decodeComplaints } from '../integration/capture/capture-rig.ts';
import {
  clipsOf,
  createPlace,
  hub,
  type PageClip,
  pidsOf,
  type Place,
  type Product,
  until,
} from './product.ts';

const REPO = join(import.meta.dirname, '../..');
/** A battery is called critical, the clip sealed, the cloud told; then the machine is slow. */
const OFF_MS = 120_000;
const JUDGED_MS = 300_000;

let place: Place;
let product: Product;

/** Pulls the plug, as a person would from another terminal. */
async function ups(command: string): Promise<void> {
  await promisify(execFile)(process.execPath, [
    join(REPO, 'hardware/simulators/ups/main.ts'),
    ...['--control', join(place.data, 'ups.control'), '--tell', command],
  ]);
}

const told = (sentence: string) => () => product.said().includes(sentence) || undefined;

before(async () => {
  place = createPlace();
  const video = await place.crossing(12);
  // A clip far longer than the battery lasts: only the shutdown can end it.
  product = place.start(['--video', video, '--ups', 'normal-day', '--pre-roll', '2', '--post-roll', '280']);
});
after(() => place?.close());

test('mains goes while something is recorded: the clip is sealed, the cloud is told, the appliance goes off, and with the mains it comes back, uploads and is judged', async () => {
  const page = await product.page();
  const clip = await until(
    'a clip is being recorded',
    async () => (await clipsOf(page)).find(({ state }) => state === 'recording'),
    JUDGED_MS,
    () => product.said(),
  );
  // The link to the cloud stands, so the cloud must hear of it; the upload does not get that far.
  await until(
    'the agent is connected',
    async () => (await hub(place.data, 'list')).includes('connected'),
    120_000,
  );
  await ups('volts 11.4');
  await ups('mains off');
  await until(
    'the cloud knows that the house is on battery',
    async () => (await events(place.data)).some(({ state }) => state === 'on-battery'),
    OFF_MS,
    () => product.said(),
  );
  const agent = pidsOf(place.data).get('agent');
  await ups('volts 9.3');
  await until('the appliance is off', told('the appliance is off until mains returns'), OFF_MS, () =>
    product.said(),
  );

  assert.equal(pidsOf(place.data).get('agent'), undefined, `the agent ${agent} still runs`);
  const power = await events(place.data);
  assert.ok(
    power.some(({ state }) => state === 'critical'),
    JSON.stringify(power),
  );
  const phases = power.map(({ shutdown }) => shutdown).filter((phase) => phase !== undefined);
  assert.ok(phases.includes('sealing'), JSON.stringify(power));
  const fsck = JSON.parse(
    (await promisify(execFile)(join(REPO, 'scripts/fsck'), ['--data', place.data, '--deep', '--json'])).stdout
      .trim()
      .split('\n')
      .at(-1) ?? '',
  ) as { clips: number; ok: number; problems: unknown[] };
  assert.deepEqual(fsck.problems, []);

  await ups('volts auto');
  await ups('mains on');
  await until('the appliance is back', told('the appliance has started again'), OFF_MS, () => product.said());
  const judged = await until(
    'the clip that was cut short is judged',
    async (): Promise<PageClip | undefined> =>
      (await clipsOf(page)).find(({ clipId, verdict }) => clipId === clip.clipId && verdict !== null),
    JUDGED_MS,
    () => product.said(),
  );
  assert.equal(judged.verdict?.revision, 1);
  assert.equal(await decodeComplaints(join(place.data, 'agent/clips/demo', `${clip.clipId}.mp4`)), '');
  await until(
    'the twin says that mains is back',
    async () => {
      const twin = JSON.parse(await hub(place.data, 'twin', 'dacha-1', '--json')) as {
        properties: { reported: { power?: { state: string } } };
      };
      return twin.properties.reported.power?.state === 'on-mains';
    },
    120_000,
    () => product.said(),
  );
});

/** Power events that the hub has received, oldest first. */
async function events(data: string): Promise<{ state: string; shutdown?: string }[]> {
  const lines = (await hub(data, 'watch', 'dacha-1', '--since', '3600', '--until-now', '--json'))
    .trim()
    .split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { body?: unknown })
    .flatMap((entry) => {
      const body = entry.body as { event?: string; data?: { state: string; shutdown?: string } } | undefined;
      return body?.event === 'power.state' && body.data ? [body.data] : [];
    });
}
