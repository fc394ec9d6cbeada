/** `scripts/provision`: gives a device its identity. Its help stands in `scripts/provision`. */
import { resolve } from 'node:path';
import { ContractError } from '@dachawatch/contracts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { openConfigFiles } from '../../../agent/settings/settings.ts';
import { flag, quoted, readArguments, requireNoWords, text } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { needFile, needFolder } from '../command/folders.ts';
import { runCommand } from '../command/run-command.ts';
import { makeIdentity, type MadeIdentity } from './device-identity.ts';

const COMMAND = 'scripts/provision';
/** What a certificate of Azure covers, and nothing that a shell would take for more than a word. */
const HOST = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)+$/i;

async function provision(args: readonly string[]): Promise<number> {
  const { values, words } = readArguments(COMMAND, args, {
    hub: text,
    config: text,
    credentials: text,
    json: flag,
  });
  requireNoWords(words);
  const { hub, config = '/etc/dachawatch/appliance.json' } = values;
  const credentials = resolve(values.credentials ?? '/etc/dachawatch/credentials');
  if (hub === undefined) throw new Refusal('--hub HOST is missing: the hub, like NAME.azure-devices.net');
  if (!HOST.test(hub))
    throw new Refusal(`--hub takes the name of a host, like NAME.azure-devices.net, not ${quoted(hub)}`);
  const { deviceId, credential } = readConfig(resolve(config));
  needFolder('--credentials', credentials);
  const made = makeIdentity({ hub: hub.toLowerCase(), deviceId, credentials, credential });
  process.stdout.write(`${values.json ? JSON.stringify(shown(made)) : told(made)}\n`);
  return 0;
}

/** @throws Refusal */
function readConfig(file: string): { readonly deviceId: string; readonly credential: string } {
  needFile('--config', file);
  try {
    const { deviceId, hub } = openConfigFiles(file, undefined).config;
    return { deviceId, credential: hub.credential };
  } catch (error) {
    if (error instanceof ContractError || (error instanceof Failure && error.kind === 'rejected'))
      throw new Refusal(`--config ${file} cannot be used: ${error.message}`);
    throw error;
  }
}

/** What an operator types, with rights at the hub that the device has not. No character of it means anything to a shell. */
const commandOf = ({ hub, deviceId, thumbprint }: MadeIdentity) =>
  `az iot hub device-identity create --auth-type login --hub-name ${hub.split('.')[0]} --device-id ${deviceId}` +
  ` --auth-method x509_thumbprint --primary-thumbprint ${thumbprint}`;

const shown = (made: MadeIdentity) => ({ ...made, command: commandOf(made) });

const told = (made: MadeIdentity): string =>
  [
    made.made
      ? `made the identity of ${made.deviceId}: ${made.credential}, which nobody else needs to have`
      : `the identity of ${made.deviceId} was there: ${made.credential}`,
    `SHA-256 of its certificate: ${made.thumbprint}`,
    '',
    'Make the hub know it, where you are logged in to Azure:',
    `  ${commandOf(made)}`,
    'Then, on the device:',
    '  systemctl restart dachawatch-agent',
  ].join('\n');

await runCommand(COMMAND, async () => provision, { onSignal: 'exit' });
