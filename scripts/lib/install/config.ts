/** config.ts --config FILE --default FILE --credentials DIR…: prints what a person still has to do before the agent
 *  can start, a line each; nothing when it can. No secret is read. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ApplianceConfig, parseWithDefaults } from '../../../contracts/index.ts';

/** @param credentialDirs folders in which a credential may lie; named by the first */
export function whatIsMissing(
  configFile: string,
  defaultFile: string,
  credentialDirs: readonly string[],
): string[] {
  const text = readFileSync(configFile, 'utf8');
  let config: ApplianceConfig;
  try {
    config = parseWithDefaults(ApplianceConfig, JSON.parse(text));
  } catch (error) {
    return [`correct ${configFile}: ${(error as Error).message}`];
  }
  const edit =
    text === readFileSync(defaultFile, 'utf8')
      ? [`edit ${configFile}: it is the example, with cameras that are not yours`]
      : [];
  const needed = new Map([[config.hub.credential, 'the connection string of this device at IoT Hub']]);
  for (const { id, credential, subCredential } of config.cameras)
    for (const name of [credential, subCredential])
      if (name !== undefined) needed.set(name, `the login of camera ${id}, {"username":"…","password":"…"}`);
  const missing = [...needed].filter(([name]) => !credentialDirs.some((dir) => existsSync(join(dir, name))));
  return [
    ...edit,
    ...missing.map(([name, what]) => `put ${what} into ${join(credentialDirs[0] ?? '', name)}`),
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      default: { type: 'string' },
      credentials: { type: 'string', multiple: true },
    },
  });
  if (!values.config || !values.default || !values.credentials) throw new Error('an option is missing');
  for (const line of whatIsMissing(values.config, values.default, values.credentials))
    process.stdout.write(`  ${line}\n`);
}
