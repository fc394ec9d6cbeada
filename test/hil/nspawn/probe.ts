/** Run in the guest by the agent's own Node, inside the sandbox of the unit and outside of it, as the same user: tries
 *  what an agent that was taken over would try. Prints one line of JSON: what came of each try, `ok` or an error code.
 *  Nothing of it harms the guest. */
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `ok`, the error code, or for a program the code it ended with. */
function outcome(attempt: () => unknown): string {
  try {
    attempt();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const writing = (path: string) => outcome(() => writeFileSync(path, 'x'));
const opening = (path: string) => outcome(() => closeSync(openSync(path, 'r+')));
const listing = (path: string) => outcome(() => readdirSync(path));

function running(program: string, ...args: string[]): string {
  const { status, error } = spawnSync(program, args);
  if (error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return status === 0 ? 'ok' : `exit ${status}`;
}

/** @param dir a folder of the agent */
function executing(dir: string): string {
  const file = join(dir, 'probe-program');
  writeFileSync(file, '#!/bin/sh\nexit 0\n', { mode: 0o700 });
  return running(file);
}

function settingSuid(dir: string): string {
  const file = join(dir, 'probe-suid');
  writeFileSync(file, '', { mode: 0o700 });
  return outcome(() => chmodSync(file, 0o4700));
}

/** PTRACE_TRACEME, which needs no rights. Perl is in every Debian. */
const tracing = () =>
  running('perl', '-e', `exit(syscall(${process.arch === 'x64' ? 101 : 117}, 0, 0, 0, 0) == 0 ? 0 : 1)`);

const own = process.env['STATE_DIRECTORY'] ?? '';
const status = readFileSync('/proc/self/status', 'utf8');
const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];

const found = {
  'write its state': writing(join(own, 'probe')),
  'write its cache': writing('/var/cache/dachawatch/probe'),
  'write /etc/dachawatch': writing('/etc/dachawatch/probe'),
  'write its program': writing('/usr/lib/dachawatch/probe'),
  'write /run/lock, where anybody may': writing('/run/lock/probe'),
  'see other files in /tmp': outcome(() => statSync('/tmp/of-somebody-else')),
  'list /home': listing('/home'),
  'list the credentials on disk': listing('/etc/dachawatch/credentials'),
  'see process 1': outcome(() => statSync('/proc/1')),
  'open a device of others': opening('/dev/net/tun'),
  'open /dev/null': opening('/dev/null'),
  'run what it wrote': executing(own),
  'set suid': settingSuid(own),
  'make a user namespace': running('unshare', '--user', 'true'),
  'change its personality': running('setarch', '--addr-no-randomize', 'true'),
  'trace a process': tracing(),
  'run systemd-notify': running('systemd-notify', '--version'),
  capabilities: field('CapEff'),
  'capabilities that it could get': field('CapBnd'),
  'no new privileges': field('NoNewPrivs'),
};
process.stdout.write(`${JSON.stringify(found)}\n`);
