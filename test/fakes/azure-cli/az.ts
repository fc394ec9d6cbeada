/** A stand-in for Azure's command line, with the answers of the real one for what `scripts/deploy-cloud` asks. It checks each
 *  call, keeps what was made in a folder, and can break at any call. Its folder: `AZ_STAND_IN`. */
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Call, Cloud } from './stand-in.ts';

const dir = process.env['AZ_STAND_IN'] ?? '';
const file = (name: string) => join(dir, name);
const words = process.argv.slice(2);

const cloud = JSON.parse(readFileSync(file('cloud.json'), 'utf8')) as Cloud;
const calls = existsSync(file('calls.jsonl'))
  ? readFileSync(file('calls.jsonl'), 'utf8').trim().split('\n').length
  : 0;

function refuse(sentence: string): never {
  appendFileSync(file('complaints'), `${sentence}: az ${words.join(' ')}\n`);
  process.stderr.write(`ERROR: ${sentence}\n`);
  process.exit(1);
}

/** Values of options, and the words before them. */
function read(): { command: string; options: Map<string, string[]> } {
  const options = new Map<string, string[]>();
  const command: string[] = [];
  let values: string[] | undefined;
  for (const word of words) {
    if (word.startsWith('--')) options.set(word, (values = []));
    else (values ?? command).push(word);
  }
  return { command: command.join(' '), options };
}

const { command, options } = read();
const one = (name: string): string => {
  const [value, ...more] = options.get(name) ?? [];
  if (value === undefined || more.length > 0) refuse(`the following arguments are required: ${name}`);
  return value;
};
const only = (...names: string[]) => {
  for (const name of options.keys())
    if (![...names, '--output'].includes(name)) refuse(`unrecognized arguments: ${name}`);
};

if (one('--output') !== 'json') refuse('only JSON can be read');
appendFileSync(file('calls.jsonl'), `${JSON.stringify({ command } satisfies Call)}\n`);
if (!cloud.signedIn) refuse("Please run 'az login' to setup account.");
if (cloud.fails === calls) refuse('the platform is not well today');
if (cloud.kills?.call === calls && cloud.kills.when === 'before') killCaller();

const result = answer();
writeFileSync(file('cloud.json'), JSON.stringify(cloud));
if (cloud.kills?.call === calls && cloud.kills.when === 'after') killCaller();
process.stdout.write(result === undefined ? '' : JSON.stringify(result));

/** Whoever deploys is gone at this moment. */
function killCaller(): never {
  process.kill(process.ppid, 'SIGKILL');
  process.exit(1);
}

function group(name: string) {
  const found = cloud.groups[name];
  if (!found) refuse(`Resource group '${name}' could not be found.`);
  return found;
}

function answer(): unknown {
  switch (command) {
    case 'account show':
      only();
      return { id: '00000000-1111-2222-3333-444444444444', name: 'House', state: 'Enabled' };
    case 'group exists':
      only('--name');
      return one('--name') in cloud.groups;
    case 'group show':
      only('--name');
      return { name: one('--name'), tags: group(one('--name')).tags ?? null };
    case 'group create': {
      only('--name', '--location', '--tags');
      const [key = '', value = ''] = one('--tags').split('=');
      cloud.groups[one('--name')] = { location: one('--location'), tags: { [key]: value }, deployed: [] };
      return { name: one('--name') };
    }
    case 'group delete':
      only('--name', '--yes');
      if (!options.has('--yes')) refuse('Operation cancelled.');
      group(one('--name'));
      delete cloud.groups[one('--name')];
      return undefined;
    case 'deployment group what-if':
      only('--resource-group', '--no-pretty-print', '--template-file', '--parameters');
      parametersOf(one('--parameters'));
      return {
        changes: [
          { changeType: 'NoChange', resourceId: '/…/storageAccounts/clips' },
          { changeType: 'Modify', resourceId: '/…/jobs/dacha-yolo' },
        ],
      };
    case 'deployment group create':
      only('--resource-group', '--name', '--template-file', '--parameters');
      return deploy(group(one('--resource-group')));
    case 'functionapp deployment source config-zip': {
      only('--resource-group', '--name', '--src');
      const its = group(one('--resource-group'));
      if (one('--name') !== its.functions)
        refuse(`The Resource 'Microsoft.Web/sites/${one('--name')}' was not found`);
      if (readFileSync(one('--src')).toString('latin1', 0, 2) !== 'PK') refuse('this is no zip');
      its.published = true;
      return { status: 4 };
    }
    default:
      return refuse(`'${command}' is misspelled or not recognized by the system.`);
  }
}

function deploy(its: Cloud['groups'][string]): unknown {
  const template = one('--template-file');
  if (!existsSync(template)) refuse(`${template} does not exist`);
  if (template.endsWith('main.bicep')) {
    its.parameters = parametersOf(one('--parameters'));
    its.functions = 'dacha-fn-1';
    its.deployed.push('main');
    const value = (text: string) => ({ type: 'String', value: text });
    return {
      properties: {
        provisioningState: 'Succeeded',
        outputs: {
          functionsName: value('dacha-fn-1'),
          hubHostName: value('dacha-hub-1.azure-devices.net'),
          registryServer: value('dacha1.azurecr.io'),
          clipsName: value('dacha1clips'),
        },
      },
    };
  }
  // Event Grid checks that the function exists.
  if (!its.published) refuse('The resource /functions/OnVideoBlobCreated does not exist');
  const given = options.get('--parameters') ?? [];
  for (const wanted of ['clipsName=dacha1clips', 'functionsName=dacha-fn-1'])
    if (!given.includes(wanted)) refuse(`${wanted} is missing`);
  its.deployed.push('events');
  return { properties: { provisioningState: 'Succeeded' } };
}

function parametersOf(given: string): Record<string, unknown> {
  if (!given.startsWith('@')) refuse('parameters stand on the command line, where everybody can read them');
  const path = given.slice(1);
  if ((statSync(path).mode & 0o077) !== 0) refuse('others can read the file of parameters');
  const { parameters = {} } = JSON.parse(readFileSync(path, 'utf8')) as {
    parameters?: Record<string, { value: unknown }>;
  };
  return Object.fromEntries(Object.entries(parameters).map(([name, { value }]) => [name, value]));
}
