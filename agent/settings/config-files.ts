/** The files that tell the agent what to do: `appliance.json` and the credentials. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplianceConfig, CameraCredential, parse, parseWithDefaults } from '@dachawatch/contracts';
import { Failure } from '../kernel/failure.ts';

export interface ConfigFiles {
  readonly config: ApplianceConfig;
  /** Text of a credential file.
   *  @throws Failure `rejected`, naming the file and who needs it; never its content */
  secret(name: string, neededBy: string): string;
  /** Login of a camera, or that of its small picture, from the credential that it names; undefined when it names none.
   *  @throws as `secret`; ContractError when the file is no login */
  login(cameraId: string, credential: string | undefined): CameraCredential | undefined;
}

/** @throws Failure `rejected`, ContractError: one sentence that names the file and the place in it */
export function openConfigFiles(configFile: string, credentialsDir: string | undefined): ConfigFiles {
  const secretFile = (name: string, neededBy: string) => {
    if (!credentialsDir)
      throw new Failure(
        'rejected',
        'config.no-credentials',
        `${neededBy} needs credential "${name}", but no credentials folder was given`,
      );
    return join(credentialsDir, name);
  };
  return {
    config: parseWithDefaults(ApplianceConfig, readJson(configFile, 'the configuration')),
    secret: (name, neededBy) => readText(secretFile(name, neededBy), `the credential of ${neededBy}`).trim(),
    login: (id, credential) =>
      credential === undefined
        ? undefined
        : parse(
            CameraCredential,
            readJson(secretFile(credential, `camera ${id}`), `the login of camera ${id}`),
          ),
  };
}

/** @throws Failure `rejected` */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(
      'rejected',
      'config.unreadable',
      `${what} cannot be read: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

function readJson(file: string, what: string): unknown {
  const text = readText(file, what);
  try {
    return JSON.parse(text);
  } catch (error) {
    const where = /position \d+( \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0];
    // Not the parser's own words: they repeat what stands in the file, which may be a password.
    const message = `${what} ${file} is not JSON${where ? `: at ${where}` : ''}`;
    throw new Failure('rejected', 'config.not-json', message);
  }
}
