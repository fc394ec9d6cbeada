import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isJson, type Json } from '@dachawatch/contracts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createHubClient, type HubClient, type Twin } from './client.ts';
import { Refusal } from '../command/ends.ts';
import { needWritable, whyNot } from '../command/folders.ts';
import { type Command, readCommand } from './options.ts';
import { findHub } from './place.ts';
import { watch } from './watch.ts';
import { printable, word } from './text.ts';
import { deviceLine, withoutMetadata } from './words.ts';

const LOOK_EVERY_MS = 500;

const print = (line: string) => process.stdout.write(`${line}\n`);
async function list(hub: HubClient, json: boolean): Promise<number> {
  const twins = await hub.list();
  for (const twin of twins) print(json ? JSON.stringify(twin) : deviceLine(twin));
  if (twins.length === 0 && !json) print('the hub knows no device');
  return 0;
}

function showTwin(twin: Twin, json: boolean): number {
  const { desired, reported } = twin.properties;
  const view = { desired: withoutMetadata(desired), reported: withoutMetadata(reported) };
  print(json ? JSON.stringify(twin) : JSON.stringify(view, null, 2));
  return 0;
}

async function desired(
  hub: HubClient,
  command: Command & { name: 'desired' },
  json: boolean,
): Promise<number> {
  const { device, patch, waitS } = command;
  const twin = await hub.setDesired(device, patch);
  const version = Number(twin.properties.desired['$version']);
  if (waitS === undefined) {
    print(json ? JSON.stringify({ deviceId: device, version }) : `${device}: desired version ${version}`);
    return 0;
  }
  const refused = await answer(hub, device, version, waitS);
  if (json) print(JSON.stringify({ deviceId: device, version, answered: refused !== undefined, refused }));
  else if (refused === undefined)
    print(`${device}: desired version ${version}, which it has not answered within ${waitS} s`);
  else if (refused.length === 0) print(`${device}: desired version ${version} is in force`);
  else {
    print(`${device}: desired version ${version} is in force, without what was refused:`);
    for (const { path, reason } of refused) print(printable(`  ${word(path)}: ${word(reason)}`));
  }
  return refused?.length === 0 ? 0 : 1;
}

/** What the device refused of a version; undefined when it has not answered in time. */
async function answer(
  hub: HubClient,
  device: string,
  version: number,
  waitS: number,
): Promise<readonly Json[] | undefined> {
  const endAt = performance.now() + waitS * 1000;
  for (;;) {
    const { reported } = (await hub.twin(device)).properties;
    if (Number(reported['desiredVersion']) >= version)
      return Array.isArray(reported['refused']) ? reported['refused'].filter(isJson) : [];
    if (performance.now() >= endAt) return undefined;
    await delay(LOOK_EVERY_MS);
  }
}

async function call(hub: HubClient, command: Command & { name: 'call' }, json: boolean): Promise<number> {
  const { device, method, payload, timeoutS, save } = command;
  const answer = await hub.call(device, method, payload, timeoutS);
  const ok = answer.status >= 200 && answer.status < 300;
  const picture = isJson(answer.payload) ? answer.payload['jpeg'] : undefined;
  let shown = answer.payload;
  if (typeof picture === 'string' && (save !== undefined || !json)) {
    const bytes = Buffer.from(picture, 'base64');
    if (save !== undefined) savePicture(save, bytes);
    const where = save === undefined ? '--save FILE keeps it' : `saved to ${save}`;
    shown = { ...(answer.payload as Json), jpeg: `${bytes.length} bytes, ${where}` };
  }
  if (json) print(JSON.stringify({ status: answer.status, payload: shown }));
  else print(`${method} answers ${answer.status}: ${JSON.stringify(shown, null, 2)}`);
  if (ok && save !== undefined && typeof picture !== 'string')
    throw new Failure('rejected', 'hub.no-picture', `there is no picture in the answer of ${method}`);
  return ok ? 0 : 1;
}

/** For its owner only: it shows a house nobody is in. */
function savePicture(file: string, bytes: Buffer): void {
  try {
    writeFileSync(file, bytes, { mode: 0o600 });
  } catch (error) {
    throw new Failure(
      'exhausted',
      'hub.save',
      `--save: the picture cannot be written to ${file}: ${whyNot(error)}`,
    );
  }
}

/** What stands in `scripts/hub`. */
export async function operate(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { command, dataDir, connection, json } = readCommand(args, process.env);
  // Before the house takes a picture that could not be kept.
  if (command.name === 'call' && command.save !== undefined) needWritable('--save', resolve(command.save));
  const place = findHub(dataDir, connection);
  const hub = createHubClient(place);
  if (command.name === 'list') return list(hub, json);
  if (command.name === 'twin') return showTwin(await hub.twin(command.device), json);
  if (command.name === 'desired') return desired(hub, command, json);
  if (command.name === 'call') return call(hub, command, json);
  if (/\.azure-devices\.(net|us|cn)$/.test(place.host))
    throw new Refusal(
      'watch is only for the local hub: Azure gives telemetry at an Event Hubs endpoint (az iot hub monitor-events)',
    );
  await watch(hub, { ...command, json, print, signal });
  return 0;
}
