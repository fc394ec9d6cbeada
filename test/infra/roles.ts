import { type Found, resourcesOf, type Template } from './bicep.ts';

/** Who may do what to what, and why. */
export interface Role {
  readonly who: string;
  readonly role: string;
  readonly scope: string;
  readonly why: string;
}

const BUILT_IN: Readonly<Record<string, string>> = {
  '7f951dda-4ed3-4680-a7ca-43fe172d538d': 'AcrPull',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
  '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1': 'Storage Blob Data Reader',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a': 'Storage Queue Data Message Sender',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  '4fc6c259-987e-4a07-842e-c321cc9d413f': 'IoT Hub Data Contributor',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
};

const SCOPES: Readonly<Record<string, string>> = {
  'Microsoft.ContainerRegistry/registries': 'the registry',
  'Microsoft.KeyVault/vaults': 'the key vault',
  'Microsoft.ContainerInstance/containerGroups': "the worker's container group",
  'Microsoft.Devices/IotHubs': 'the IoT hub',
  'Microsoft.Insights/components': 'Application Insights',
  'Microsoft.Storage/storageAccounts': "the host's storage account",
};

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** All role assignments of a template, in the words of `roles.md`.
 *  @throws Error for one that this does not understand: nobody may be given a role that no table names */
export function rolesOf(template: Template): Role[] {
  return resourcesOf(template)
    .filter(({ resource }) => resource.type === 'Microsoft.Authorization/roleAssignments')
    .map(roleOf);
}

function roleOf({ resource, template }: Found): Role {
  const { roleDefinitionId, principalId, description } = (resource.properties ?? {}) as Readonly<
    Record<string, string>
  >;
  return {
    who: whoIs(principalId ?? ''),
    role: roleName(roleDefinitionId ?? '', template),
    scope: scopeOf(resource.scope ?? ''),
    why: description ?? '',
  };
}

function whoIs(principal: string): string {
  const name = /parameters\('(\w+)PrincipalId'\)/.exec(principal)?.[1];
  if (name !== undefined) return name;
  if (principal.includes('deployer()')) return 'operator';
  if (principal.includes('Microsoft.EventGrid/systemTopics')) return 'event grid';
  throw new Error(`who is ${principal}?`);
}

function roleName(definition: string, { variables = {} }: Template): string {
  const variable = /variables\('(\w+)'\)/.exec(definition)?.[1];
  const text = variable === undefined ? definition : String(variables[variable]);
  const id = UUID.exec(text)?.[0];
  const known = id === undefined ? /'dachawatch-([a-z-]+)'/.exec(text)?.[1] : BUILT_IN[id];
  if (known === undefined) throw new Error(`which role is ${text}?`);
  return id === undefined ? `Dachawatch ${known.replaceAll('-', ' ')}` : known;
}

function scopeOf(scope: string): string {
  const type = /'(Microsoft\.[\w.]+(?:\/\w+)+)'/.exec(scope)?.[1] ?? '';
  const name = /'([\w-]+)'\)\]$/.exec(scope)?.[1];
  if (type.endsWith('/containers') && name !== undefined) return `container \`${name}\``;
  if (type.endsWith('/queues') && name !== undefined) return `queue \`${name}\``;
  const known = SCOPES[type];
  if (known === undefined) throw new Error(`which scope is ${scope}?`);
  return known;
}

/** The table of `roles.md`. */
export const tableOf = (roles: readonly Role[]): string =>
  roles
    .map(({ who, role, scope, why }) => `| ${who} | ${role} | ${scope} | ${why} |`)
    .toSorted()
    .join('\n');
