/** Makes a password for the page and shows it once. Beside main.ts because whoever installs the agent runs it, too. */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ContractError } from '@dachawatch/contracts';
import { deviceCertificate } from './dashboard/access/certificate.ts';
import { ownNames } from './dashboard/access/opening.ts';
import { keepPassword, newPassword, readPassword } from './dashboard/access/password.ts';
import { isLoopback } from './dashboard/access/host-guard.ts';
import { refuseVoidOptions } from './given-options.ts';
import { Failure } from './kernel/failure.ts';
import { openConfigFiles } from './settings/settings.ts';

const HELP = `page-password [--data DIR] [--config FILE] [--if-needed]

Makes a new password for the page, which it asks for when dashboard.host is not loopback, and shows it once. Who was
logged in is logged out. A running agent takes it at once; one that stayed on loopback for the lack of it is restarted:
systemctl restart dachawatch-agent
  --data       folder of the agent's data; default: /var/lib/dachawatch
  --config     appliance.json; default: /etc/dachawatch/appliance.json
  --if-needed  do nothing when the page is not open to others, or has a password

Exit code: 0 done, 1 a failure, 2 something that you can mend: an option, a file, a folder.
`;

function options() {
  const { values, tokens } = parseArgs({
    tokens: true,
    options: {
      data: { type: 'string', default: '/var/lib/dachawatch' },
      config: { type: 'string', default: '/etc/dachawatch/appliance.json' },
      'if-needed': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  refuseVoidOptions(tokens);
  return values;
}

/** What is written must be the agent's own: root becomes who owns the folder. */
function becomeOwnerOf(dir: string): void {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (!found?.isDirectory())
    throw new Failure(
      'rejected',
      'page-password.no-folder',
      `there is no folder ${dir}: is the agent installed?`,
    );
  const me = process.getuid?.() ?? found.uid;
  if (me === found.uid) return;
  if (me !== 0)
    throw new Failure(
      'rejected',
      'page-password.not-owner',
      `${dir} belongs to somebody else: run this with sudo`,
    );
  process.setgroups?.([]);
  process.setgid?.(found.gid);
  process.setuid?.(found.uid);
}

async function main(): Promise<void> {
  const { data, config, help, 'if-needed': ifNeeded } = options();
  if (help) return void process.stdout.write(HELP);
  const { host, names = [] } = openConfigFiles(config, undefined).config.dashboard;
  becomeOwnerOf(data);
  if (ifNeeded && (isLoopback(host) || readPassword(data) !== undefined)) return;
  const password = newPassword();
  await keepPassword(data, password);
  const { certificate } = deviceCertificate(data, ownNames(host, names));
  process.stdout.write(
    `The password of the page: ${password}\n` +
      'Write it down: it is kept nowhere in readable form, and this is the only time that it is shown.\n' +
      `The browser warns of the page's certificate once; its SHA-256 is\n${certificate.fingerprint}\n`,
  );
}

try {
  await main();
} catch (error) {
  const { code = '' } = error as NodeJS.ErrnoException;
  // Whoever gave the options can mend them, and the files and folders that they name.
  const isUsage =
    code.startsWith('ERR_PARSE_ARGS') || (error instanceof Failure && error.kind === 'rejected');
  const isTold =
    isUsage || error instanceof Failure || error instanceof ContractError || 'errno' in (error as object);
  process.stderr.write(`page-password: ${isTold ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(isUsage ? 2 : 1);
}
