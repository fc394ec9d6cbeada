/** `scripts/test engine`: its help stands in `scripts/test`. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startAzurite } from './azurite.ts';
import { buildHost, CannotBuild } from './build-host.ts';
import { packagedApp, sampleApp, type ProductOptions } from './apps.ts';
import { engineAt, startOurEngine, startRealEngine, type Engine } from './engines.ts';
import { startWebhook } from './webhook.ts';
import { provision } from '../../cloud-fn/local/storage/provision.ts';
import { ACCEPTED } from './differences.ts';
import { playBoth, type Outcome } from './play.ts';
import { scenariosOf, type Scenario } from './scenario.ts';
import { client } from './scenarios/client.ts';
import { errors } from './scenarios/errors.ts';
import { events } from './scenarios/events.ts';
import { kills } from './scenarios/kills.ts';
import { management } from './scenarios/management.ts';
import { moments } from './scenarios/moments.ts';
import { more } from './scenarios/more.ts';
import { orchestrations } from './scenarios/orchestrations.ts';
import { patterns } from './scenarios/patterns.ts';
import { product, productWithoutWorker } from './scenarios/product.ts';
import { queues } from './scenarios/queues.ts';
import { starts } from './scenarios/starts.ts';

/** The engines are started once for each group, one group after the other. */
const GROUPS = [
  {
    name: 'engine',
    scenarios: scenariosOf([
      ...[orchestrations, patterns, events, errors, management, starts, more, client, queues, kills, moments],
    ]),
    app: ({ storage }: ProductOptions) => sampleApp(storage),
  },
  {
    name: 'product',
    scenarios: scenariosOf([product]),
    app: (options: ProductOptions) => packagedApp(options),
  },
  {
    name: 'product without its worker',
    scenarios: scenariosOf([productWithoutWorker]),
    app: (options: ProductOptions) => packagedApp({ ...options, workerEntry: '/nowhere/worker.ts' }),
  },
] as const;
const SCENARIOS = GROUPS.flatMap(({ scenarios }) => scenarios);
const REAL = 'real';
const OURS = 'ours';
/** Scenarios that may differ once and be the same when they are played again, of all. More of them are no accident. */
const ONCE_MAX = 2;
/** Of what differs in one scenario. */
const LINES_MAX = 40;

const refuse = (sentence: string): never => {
  process.stderr.write(`scripts/test engine: ${sentence}\n`);
  process.exit(2);
};
const flags = readFlags();
const say = (text: string) => process.stdout.write(`${text}\n`);
if ((flags.url === undefined) !== (flags.key === undefined)) refuse('--url and --key come together');
if (flags.url !== undefined && !URL.canParse(flags.url)) refuse(`--url ${flags.url} is not an address`);

const wanted = SCENARIOS.filter(
  ({ name }) => flags.only.length === 0 || flags.only.some((part) => name.includes(part)),
);
if (flags.list) {
  for (const { name } of wanted) say(name);
  process.exit(0);
}
if (wanted.length === 0) refuse(`no scenario's name contains ${flags.only.join(' or ')}`);

const dir = mkdtempSync(join(tmpdir(), 'dachawatch-engine-'));
const closing: (() => Promise<void>)[] = [];
const stop = async () => {
  for (const one of closing.splice(0).toReversed()) await one();
};
const close = async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void close().finally(() => process.exit(130)));

const logs = new Map<string, string>();
try {
  const program = flags.url === undefined ? buildHost((text) => process.stderr.write(text)) : undefined;
  const outcomes: Outcome[] = [];
  let skipped = 0;
  const run = randomBytes(4).toString('hex');
  for (const group of GROUPS) {
    const asked = group.scenarios.filter((one) => wanted.includes(one));
    // What runs at an address is the app of the first group.
    const isThere = program !== undefined || group === GROUPS[0];
    if (asked.length === 0) continue;
    if (!isThere) {
      skipped += asked.length;
      for (const one of asked) say(`skipped   ${one.name}`);
      continue;
    }
    const { real, ours } = await startGroup(group, program);
    const playable = asked.filter((one) => canPlay(one, real));
    for (const one of asked) if (!playable.includes(one)) say(`skipped   ${one.name}`);
    skipped += asked.length - playable.length;
    await playBoth({ real, ours, scenarios: playable, run }, (outcome) => {
      outcomes.push(outcome);
      tell(outcome);
    });
    await stop();
  }
  if (flags.keep !== undefined)
    for (const [name, text] of logs) writeFileSync(join(flags.keep, `${name}.log`), text);

  const used = new Set(outcomes.flatMap((outcome) => [...outcome.accepted]));
  const stale =
    flags.only.length > 0 || flags.url !== undefined ? [] : ACCEPTED.filter(({ name }) => !used.has(name));
  say('');
  for (const { name } of stale)
    say(`The accepted difference "${name}" did not occur: take it out of the list.`);
  for (const { name, reason } of ACCEPTED) if (used.has(name)) say(`accepted: ${name}. ${reason}`);
  const different = outcomes.filter(({ trouble }) => trouble.length > 0);
  const once = outcomes.filter((outcome) => outcome.once.length > 0 && !outcome.brokeOff);
  if (once.length > ONCE_MAX)
    say(`${once.length} scenarios differed once; more than ${ONCE_MAX} are no accident.`);
  const failed = different.length + stale.length + (once.length > ONCE_MAX ? once.length : 0);
  say(`engine: ${outcomes.length + stale.length - failed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof CannotBuild)) {
    tellLogs();
    throw error;
  }
  process.stderr.write(`scripts/test engine: ${error.message}\n`);
  process.exitCode = 3;
} finally {
  await close();
}

function tellLogs(): void {
  for (const [name, text] of logs)
    process.stderr.write(`The end of the log of ${name}:\n${text.slice(-4000)}\n`);
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        url: { type: 'string' },
        key: { type: 'string' },
        storage: { type: 'string' },
        keep: { type: 'string' },
        list: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    // The first sentence says what is wrong; the rest is about programs in general.
    return refuse((error as Error).message.split('. ', 1)[0] ?? '');
  }
}

/** Storage, webhooks and both engines for one group. */
async function startGroup(group: (typeof GROUPS)[number], program: string | undefined) {
  const own = join(dir, group.name.replaceAll(' ', '-'));
  mkdirSync(own, { recursive: true });
  const azurite = await startAzurite(own, [REAL, OURS]);
  closing.push(() => azurite.stop());
  const depsOf = async (name: string) => {
    const place = join(own, name);
    mkdirSync(place, { recursive: true });
    const webhook = await startWebhook();
    closing.push(() => webhook.stop());
    const storage = azurite.accounts[name] ?? '';
    if (group.name !== 'engine') await provision(storage);
    const log = (text: string) => logs.set(name, ((logs.get(name) ?? '') + text).slice(-1_000_000));
    const app = await group.app({ storage, dir: place, webhook: webhook.address });
    return { name, app, dir: place, storage, webhook, log };
  };
  const start = async (starting: Promise<Engine> | Engine) => {
    const engine = await starting;
    closing.push(() => engine.stop());
    return engine;
  };
  const [realDeps, oursDeps] = [await depsOf(REAL), await depsOf(OURS)];
  const [real, ours] = await Promise.all([
    start(
      program === undefined
        ? engineAt(flags.url ?? '', flags.key ?? '', flags.storage)
        : startRealEngine(realDeps, program),
    ),
    start(startOurEngine(oursDeps)),
  ]);
  return { real, ours };
}

function tell(outcome: Outcome): void {
  const { scenario, trouble, once, seconds } = outcome;
  const word = trouble.length > 0 ? 'DIFFERENT' : once.length > 0 ? 'once     ' : 'same     ';
  say(`${word} ${scenario} (${seconds} s)`);
  const lines = [...trouble, ...once];
  for (const line of lines.slice(0, LINES_MAX)) say(`  ${line}`);
  if (lines.length > LINES_MAX) say(`  … and ${lines.length - LINES_MAX} more`);
  if (flags.keep === undefined) return;
  mkdirSync(flags.keep, { recursive: true });
  const file = (name: string) => join(flags.keep ?? '', `${scenario.replaceAll(/\W+/g, '-')}.${name}.json`);
  writeFileSync(file(REAL), `${JSON.stringify(outcome.real, undefined, 1)}\n`);
  writeFileSync(file(OURS), `${JSON.stringify(outcome.ours, undefined, 1)}\n`);
}

function canPlay({ needs }: Scenario, engine: Engine): boolean {
  if (needs === 'processes') return engine.kill !== undefined;
  return needs !== 'storage' || engine.storage !== undefined;
}
