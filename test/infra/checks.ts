import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CONTAINER_CLIPS,
  CONTAINER_FRAMES,
  POISON_SUFFIX,
  QUEUE_PROCESSED,
  QUEUE_TO_PROCESSING,
} from '../../contracts/wire-names.ts';
import { CONTAINER_INSTANCES } from '../../cloud-fn/ports/storage.ts';
import { QUEUE_NOTIFICATIONS } from '../../cloud-fn/ports/notification-queue.ts';
import { readSettings } from '../../cloud-fn/settings.ts';
import { readWorkerSettings } from '../../cloud-fn/yolo/settings.ts';
import { repoRoot } from '../../scripts/lib/places.ts';
import { type Compiled, resourcesOf } from './bicep.ts';
import { rolesOf, tableOf } from './roles.ts';

export interface Templates {
  readonly main: Compiled;
  readonly events: Compiled;
}

/** What is promised of the templates. Each gives what is wrong, one sentence for each. */
export const CHECKS: Readonly<
  Record<string, (templates: Templates, functions: readonly string[]) => string[]>
> = {
  'Bicep compiles without a warning': ({ main, events }) => [...main.complaints, ...events.complaints],

  'roles.md names who may do what, and the templates give the same': ({ main, events }) => {
    const given = tableOf([...rolesOf(main.template), ...rolesOf(events.template)]);
    const page = readFileSync(join(repoRoot, 'cloud-fn/infra/roles.md'), 'utf8');
    return page.includes(`\n${given}\n`) ? [] : [`the table of roles.md should be:\n${given}`];
  },

  'no role lets the worker, the app or a device remove a clip': ({ main, events }) =>
    [...rolesOf(main.template), ...rolesOf(events.template)]
      .filter(({ who, scope }) => scope === `container \`${CONTAINER_CLIPS}\`` && who !== 'hub')
      .filter(({ role }) => /Contributor|Owner/.test(role))
      .map(({ who, role }) => `${who} is ${role} of ${CONTAINER_CLIPS}`),

  'roles of our own name single operations, and none that deletes, lists keys or gives roles': ({ main }) =>
    resourcesOf(main.template)
      .filter(({ resource }) => resource.type === 'Microsoft.Authorization/roleDefinitions')
      .flatMap(({ resource }) => JSON.stringify(resource.properties).match(/Microsoft\.[\w./*]+/g) ?? [])
      .filter((operation) => /\*|delete|listkeys|Microsoft\.Authorization/i.test(operation)),

  'no key is in any setting, and none is asked for': ({ main, events }) =>
    ['listKeys', 'listAccountSas', 'listCallbackUrl', 'AccountKey=', 'SharedAccessKey', 'primaryKey'].filter(
      (word) => JSON.stringify([main.template, events.template]).includes(word),
    ),

  'storage and hub take identities only, over TLS': ({ main }) =>
    resourcesOf(main.template).flatMap(({ resource, template }) => {
      const text = JSON.stringify([resource.properties, template.variables]);
      if (resource.type === 'Microsoft.Storage/storageAccounts')
        return /"allowSharedKeyAccess":false/.test(text) && /"allowBlobPublicAccess":false/.test(text)
          ? []
          : [`${resource.name} takes keys, or shows blobs to everybody`];
      if (resource.type === 'Microsoft.Devices/IotHubs')
        return /"disableLocalAuth":true/.test(text) ? [] : [`${resource.name} takes keys`];
      return [];
    }),

  'what was overwritten or removed stays for a while': ({ main }) => {
    const blobs = resourcesOf(main.template).filter(
      ({ resource }) => resource.type === 'Microsoft.Storage/storageAccounts/blobServices',
    );
    const kept = blobs.filter(({ resource }) => resource.properties?.['isVersioningEnabled'] === true);
    return kept.some(({ resource }) =>
      /"deleteRetentionPolicy":\{"enabled":true/.test(JSON.stringify(resource)),
    )
      ? []
      : ['the clips have no versions, or no soft delete'];
  },

  'the marker of a start outlives its clip': ({ main }) => {
    const policies = resourcesOf(main.template)
      .filter(({ resource }) => resource.type.endsWith('/managementPolicies'))
      .map(({ resource }) => JSON.stringify(resource.properties));
    const rule = new RegExp(
      String.raw`"prefixMatch":\["${CONTAINER_INSTANCES}/"\]\},"actions":\{"baseBlob":\{"delete":\{"daysAfterModificationGreaterThan":"\[add\(parameters\('removeAfterDays'\), \d+\)\]"`,
    );
    return policies.some((text) => rule.test(text)) ? [] : ['markers may go before their clips'];
  },

  'containers and queues have the names that app and worker use': ({ main }) => {
    const made = resourcesOf(main.template)
      .filter(({ resource }) => /\/(?:containers|queues)$/.test(resource.type))
      .map(({ resource }) => /'([\w-]+)'\)\]$/.exec(resource.name)?.[1]);
    const used = [
      ...[CONTAINER_CLIPS, CONTAINER_FRAMES, CONTAINER_INSTANCES, QUEUE_TO_PROCESSING, QUEUE_PROCESSED],
      ...[
        `${QUEUE_TO_PROCESSING}${POISON_SUFFIX}`,
        `${QUEUE_PROCESSED}${POISON_SUFFIX}`,
        QUEUE_NOTIFICATIONS,
      ],
    ];
    return used.filter((name) => !made.includes(name));
  },

  'the app can work with the settings that it is given': ({ main }) => {
    const app = resourcesOf(main.template).find(
      ({ resource }) => resource.type === 'Microsoft.Web/sites/config',
    );
    const text = JSON.stringify([app?.resource.properties, app?.template.variables]);
    const names = text.match(/DACHA_[A-Z_]+[A-Z](?:__[a-zA-Z]+)?/g) ?? [];
    const values: Readonly<Record<string, string>> = {
      DACHA_STORAGE_ACCOUNT_URL_BLOB: 'https://clips.test/',
      DACHA_STORAGE_ACCOUNT_URL_QUEUE: 'https://queues.test/',
      DACHA_IOTHUB_HOST: 'hub.test',
      DACHA_COMPUTE: 'container-instances',
      DACHA_COMPUTE_RESOURCE: GROUP,
      DACHA_NOTIFY_WEBHOOK: 'https://hook.test/',
    };
    const unknown = names.filter(
      (name) => !(name in values) && !name.startsWith('DACHA_STORAGE_CONNECTION__'),
    );
    const read = readSettings(Object.fromEntries(names.map((name) => [name, values[name] ?? ''])));
    const works = read.hub && read.compute.kind === 'container-instances' && 'blobEndpoint' in read.storage;
    return works ? unknown : [...unknown, 'hub, worker or storage are missing in the settings'];
  },

  'the worker can work with the settings that it is given': ({ main }) => {
    const wrong: string[] = [];
    for (const { resource } of resourcesOf(main.template)) {
      const container = /Microsoft\.App\/jobs|containerGroups|virtualMachineScaleSets/.test(resource.type);
      if (!container) continue;
      const text = JSON.stringify(
        resource.type.includes('virtualMachine') ? main.template : resource.properties,
      );
      for (const name of [
        'DACHA_STORAGE_ACCOUNT_URL_BLOB',
        'DACHA_STORAGE_ACCOUNT_URL_QUEUE',
        'AZURE_CLIENT_ID',
      ])
        if (!text.includes(name)) wrong.push(`${resource.name} lacks ${name}`);
    }
    readWorkerSettings({
      DACHA_STORAGE_ACCOUNT_URL_BLOB: 'https://clips.test/',
      DACHA_STORAGE_ACCOUNT_URL_QUEUE: 'https://queues.test/',
      DACHA_SCHEDULED_EVENTS: 'http://169.254.169.254',
      DACHA_WORKER_IDLE_MS: '86400000',
      DACHA_MODELS_DIR: '/models',
    });
    return wrong;
  },

  'Event Grid tells a function that the package registers': ({ events }, functions) => {
    const named = /\/functions\/(\w+)/.exec(JSON.stringify(events.template))?.[1] ?? 'none';
    return functions.includes(named) ? [] : [`${named} is no function of the package`];
  },
};

const GROUP =
  '/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/house/providers/Microsoft.ContainerInstance/containerGroups/yolo';
