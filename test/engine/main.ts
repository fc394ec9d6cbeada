/** `scripts/test engine`: its help stands in `scripts/test`. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startAzurite } from './azurite.ts';
import { buildHost, CannotBuild } from './build-host.ts';
import { engineAt, sampleApp, startOurEngine, startRealEngine, type App, type Engine } from './engines.ts';
import { ACCEPTED } from './differences.ts';
import { playBoth, type Outcome } from './play.ts';
import { scenariosOf, type Scenario } from './scenario.ts';
import { client } from './scenarios/client.ts';
import { errors } from './scenarios/errors.ts';
import { events } from './scenarios/events.ts';
import { kills } from './scenarios/kills.ts';
import { management } from './scenarios/management.ts';
import { orchestrations } from './scenarios/orchestrations.ts';
import { queues } from './scenarios/queues.ts';

const SCENARIOS = scenariosOf([orchestrations, events, errors, management, client, queues, kills]);
const REAL = 'real';
const OURS = 'ours';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    url: { type: 'string' },
    key: { type: 'string' },
    storage: { type: 'string' },
    keep: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);
const refuse = (sentence: string, code = 2): never => {
  process.stderr.write(`scripts/test engine: ${sentence}\n`);
  process.exit(code);
};
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
const close = async () => {
  for (const one of closing.splice(0).toReversed()) await one();
  rmSync(dir, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void close().finally(() => process.exit(130)));

const logs = new Map<string, string>();
try {
  const program = flags.url === undefined ? buildHost((text) => process.stderr.write(text)) : undefined;
  const azurite = await startAzurite(dir, [REAL, OURS]);
  closing.push(() => azurite.stop());
  const storageOf = (name: string) => azurite.accounts[name] ?? '';
  const depsOf = (name: string, app: App) => {
    const own = join(dir, name);
    mkdirSync(own, { recursive: true });
    const log = (text: string) => logs.set(name, ((logs.get(name) ?? '') + text).slice(-1_000_000));
    return { name, app, dir: own, storage: storageOf(name), log };
  };
  const startReal = (): Promise<Engine> | Engine =>
    program === undefined
      ? engineAt(flags.url ?? '', flags.key ?? '', flags.storage)
      : startRealEngine(depsOf(REAL, sampleApp(storageOf(REAL))), program);
  const [real, ours] = await Promise.all([
    startReal(),
    startOurEngine(depsOf(OURS, sampleApp(storageOf(OURS)))),
  ]);
  closing.push(
    () => real.stop(),
    () => ours.stop(),
  );

  const playable = wanted.filter((one) => canPlay(one, real));
  for (const one of wanted) if (!playable.includes(one)) say(`skipped  ${one.name}: it needs ${one.needs}`);
  const outcomes: Outcome[] = [];
  await playBoth({ real, ours, scenarios: playable, run: randomBytes(4).toString('hex') }, (outcome) => {
    outcomes.push(outcome);
    say(
      `${outcome.trouble.length === 0 ? 'same     ' : 'DIFFERENT'} ${outcome.scenario} (${outcome.seconds} s)`,
    );
    for (const line of outcome.trouble.slice(0, 40)) say(`  ${line}`);
    if (outcome.trouble.length > 40) say(`  … and ${outcome.trouble.length - 40} more`);
    if (flags.keep === undefined) return;
    mkdirSync(flags.keep, { recursive: true });
    const file = (name: string) =>
      join(flags.keep ?? '', `${outcome.scenario.replaceAll(/\W+/g, '-')}.${name}.json`);
    writeFileSync(file(REAL), `${JSON.stringify(outcome.real, undefined, 1)}\n`);
    writeFileSync(file(OURS), `${JSON.stringify(outcome.ours, undefined, 1)}\n`);
  });
  if (flags.keep !== undefined)
    for (const [name, text] of logs) writeFileSync(join(flags.keep, `${name}.log`), text);

  const used = new Set(outcomes.flatMap((outcome) => [...outcome.accepted]));
  const stale =
    flags.only.length > 0 || flags.url !== undefined ? [] : ACCEPTED.filter(({ name }) => !used.has(name));
  say('');
  for (const { name } of stale)
    say(`The accepted difference "${name}" did not occur: take it out of the list.`);
  for (const { name, reason } of ACCEPTED) if (used.has(name)) say(`accepted: ${name}. ${reason}`);
  const failed = outcomes.filter(({ trouble }) => trouble.length > 0).length + stale.length;
  say(
    `engine: ${outcomes.length + stale.length - failed} passed, ${failed} failed, ${wanted.length - playable.length} skipped`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  if (error instanceof CannotBuild) refuse(error.message, 3);
  for (const [name, text] of logs)
    process.stderr.write(`The end of the log of ${name}:\n${text.slice(-4000)}\n`);
  throw error;
} finally {
  await close();
}

function canPlay({ needs }: Scenario, engine: Engine): boolean {
  if (needs === 'processes') return engine.kill !== undefined;
  return needs !== 'storage' || engine.storage !== undefined;
}
