/** The orchestration through the real library, on a host whose time a test moves. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import { loadApp } from '../../../../cloud-fn/local/functions-host/core-api.ts';
import {
  createFunctionsHost,
  type FunctionsHost,
} from '../../../../cloud-fn/local/functions-host/functions-host.ts';
import { hostSettingsOf } from '../../../../cloud-fn/local/functions-host/host-json.ts';
import type { ClipAnalysisOutput } from '../../../../cloud-fn/orchestrators/clip-analysis-steps.ts';
import { createVirtualHostClock } from '../../../fakes/cloud/virtual-host-clock.ts';
import { analysisInput, details, detection, result } from './clip-samples.ts';

const APP = new URL('../../../fakes/apps/clip-analysis-app.ts', import.meta.url).pathname;
const MINUTE_MS = 60_000;
const app = await loadApp(APP);
const { hand } = (await import(APP)) as typeof import('../../../fakes/apps/clip-analysis-app.ts');

let dataDir = '';
let host: FunctionsHost;
let time: ReturnType<typeof createVirtualHostClock>;
let base = '';
let number = 0;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dacha-played-'));
  time = createVirtualHostClock(Date.UTC(2026, 10, 30));
  await boot();
});
after(async () => {
  await host.stop();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(() => {
  hand.asked.length = 0;
  hand.activities = {
    find_result: () => null,
    keep_picture: () => ({ kept: true }),
    store_verdict: ({ verdict }: { verdict: Verdict }) => verdict,
    send_verdict_to_device: () => ({ taken: true }),
  };
});

async function boot() {
  host = createFunctionsHost({
    app,
    dataDir,
    hostSettings: hostSettingsOf({}),
    appSettings: {},
    clock: time.clock,
    log: () => undefined,
  });
  base = `http://127.0.0.1:${await host.start(0)}/runtime/webhooks/durabletask`;
}
const pass = (ms: number) => time.advance(ms, () => host.atRest());
const post = async (path: string, body: unknown) => {
  const answer = await fetch(`${base}/${path}?code=${host.keys.durableTask}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 202);
  await host.atRest();
};
/** Starts one; it waits for its answer when this resolves. */
async function begin(input: object = analysisInput()) {
  number += 1;
  const id = `clip-${number}`;
  await post(`orchestrators/clip-analysis/${id}`, input);
  return id;
}
const raise = (id: string, payload: unknown) =>
  post(`instances/${id}/raiseEvent/PROCESSING_VIDEO_COMPLITED`, payload);
const outputOf = (id: string) => {
  const { status, output } = host.history.instance(id) ?? assert.fail();
  return status === 'Completed' ? (JSON.parse(output ?? 'null') as ClipAnalysisOutput) : undefined;
};
const asked = (name: string) => hand.asked.filter((one) => one.name === name).length;

const person = result(details([detection('person')]));
const failed = result({ error: { code: 'bad-video', message: 'broken' } }, { status: 'FAILED' });

test('an answer in any slice of the wait ends it at once, also after the host was started again', async () => {
  for (const slice of [0, 1, 3, 5]) {
    const id = await begin();
    await pass(slice * MINUTE_MS + 10_000);
    assert.equal(outputOf(id), undefined);
    await host.stop();
    await boot();
    await raise(id, person);
    const output = outputOf(id);
    assert.deepEqual([output?.verdict, output?.decision], ['person', 'notified'], `slice ${slice}`);
  }
});

test('an event that comes while the request is sent, or between two slices, is taken', async () => {
  for (const activity of ['send_processing_request', 'find_result'] as const) {
    hand.asked.length = 0;
    const held = Promise.withResolvers<unknown>();
    hand.activities[activity] = () => held.promise;
    number += 1;
    const id = `clip-${number}`;
    const started = post(`orchestrators/clip-analysis/${id}`, analysisInput());
    const isAsked = async () => {
      while (asked(activity) === 0) await new Promise((resolve) => setImmediate(resolve));
    };
    const passing = activity === 'find_result' ? started.then(() => pass(MINUTE_MS + 5_000)) : undefined;
    await isAsked();
    const raised = raise(id, person);
    await new Promise((resolve) => setImmediate(resolve));
    held.resolve(null);
    await Promise.all([started, passing, raised]);
    await host.atRest();
    assert.equal(outputOf(id)?.verdict, 'person', activity);
  }
});

test('an answer whose event was lost is found at the end of its slice', async () => {
  const id = await begin();
  await pass(70_000);
  hand.activities['find_result'] = () => person;
  await pass(40_000);
  assert.equal(outputOf(id), undefined);
  await pass(20_000);
  assert.equal(outputOf(id)?.verdict, 'person');
  assert.equal(asked('find_result'), 2);
});

test('without any answer it escalates after its whole wait, and not before', async () => {
  const id = await begin();
  await pass(6 * MINUTE_MS - 1_000);
  assert.equal(outputOf(id), undefined);
  await pass(2_000);
  assert.deepEqual([outputOf(id)?.decision, asked('Escalate'), asked('find_result')], ['escalated', 1, 6]);
});

test('a failure that is followed by a person: the better answer is judged, and told once', async () => {
  const id = await begin();
  hand.activities['find_result'] = () => person;
  await raise(id, failed);
  assert.deepEqual(
    [outputOf(id)?.verdict, asked('SendVideoComplited'), asked('SendFailureNotification')],
    ['person', 1, 0],
  );
});

test('a person is told before the verdict is stored, and a verdict never says what did not happen', async () => {
  hand.activities['SendVideoComplited'] = () => {
    throw new Error('the webhook answered 500');
  };
  const id = await begin();
  await raise(id, person);
  await pass(MINUTE_MS);
  const stored = hand.asked.filter(({ name }) => name === 'store_verdict');
  assert.equal(stored.length, 1);
  const { verdict } = (stored[0] ?? assert.fail()).input as { verdict: Verdict };
  assert.deepEqual([verdict.decision, verdict.revision], ['recorded', 1]);
  assert.match(verdict.reason, /could not be delivered: .*the webhook answered 500$/);
  assert.deepEqual([outputOf(id)?.notified, outputOf(id)?.device_told], [false, true]);
});

test('what began with the first version of the code ends with it', async () => {
  const { version: _, ...old } = analysisInput();
  const id = await begin(old);
  await pass(5 * MINUTE_MS);
  assert.equal(asked('find_result'), 0, 'the first version looked once, at the end');
  await raise(id, person);
  const order = hand.asked.map(({ name }) => name);
  assert.deepEqual(order.slice(-3), ['store_verdict', 'SendVideoComplited', 'send_verdict_to_device']);
  assert.equal(outputOf(id)?.decision, 'notified');
});
