import { createConnection, type Server } from 'node:net';
import { parseArgs } from 'node:util';
import { COMMANDS, createCommands } from './commands.ts';
import { readScenario } from './scenario.ts';
import { answerBus, listen, onLines } from './server.ts';
import { createUpsModel } from './ups-model.ts';

const HELP = `Usage: node hardware/simulators/ups/main.ts --socket PATH --scenario FILE [--speed N] [--control PATH]
       node hardware/simulators/ups/main.ts --control PATH --tell "mains off"

Plays a UPS HAT: the registers of its INA219, with a battery behind them, on a Unix socket for \`ups.simulator\` of
appliance.json.
  --socket PATH    where the agent asks
  --scenario FILE  one of hardware/simulators/ups/scenarios, or your own
  --speed N        simulated seconds a second, 0.1 to 1000 (1)
  --control PATH   takes commands there, one a line; standard input takes the same
  --tell COMMAND   sends one command to a simulator that runs, prints its answer, and ends
Prints {"ready": true, "socket", "control", "pid"} as a line when it listens. Ends with SIGTERM, SIGINT, or the
program that started it. Exit code: 0 told to end, 1 a failure, 2 wrong options or a scenario that is refused.

Commands
${COMMANDS}`;

const options = {
  help: { type: 'boolean' },
  socket: { type: 'string' },
  scenario: { type: 'string' },
  speed: { type: 'string', default: '1' },
  control: { type: 'string' },
  tell: { type: 'string' },
} as const;

const TELL_MS = 5_000;

const print = (line: string) => process.stdout.write(`${line}\n`);
const refuse = (sentence: string, code = 2): never => {
  process.stderr.write(`${sentence}\n`);
  process.exit(code);
};

function readFlags() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** Sends one line and prints the line that comes back. Exit code 1 when the simulator refuses. */
function tell(path: string, command: string): void {
  const socket = createConnection(path, () => socket.write(`${command}\n`));
  socket.setTimeout(TELL_MS, () => refuse(`The simulator at ${path} does not answer.`, 1));
  socket.on('error', (error) => refuse(`No simulator takes commands at ${path}: ${error.message}`, 1));
  onLines(socket, (line) => {
    print(line);
    process.exit((JSON.parse(line) as { ok?: boolean }).ok === true ? 0 : 1);
  });
}

async function simulate(socketPath: string, file: string, speed: number, controlPath: string | undefined) {
  const scenario = (() => {
    try {
      return readScenario(file);
    } catch (error) {
      return refuse((error as Error).message);
    }
  })();
  const beganMs = performance.now();
  const elapsedMs = () => (performance.now() - beganMs) * speed;
  const model = createUpsModel({ scenario });
  const command = createCommands(model, elapsedMs);
  const servers: Server[] = [await listen(socketPath, answerBus(model, elapsedMs))];
  if (controlPath !== undefined) servers.push(await listen(controlPath, command));
  onLines(process.stdin, (line) => print(command(line)));
  // A closed server removes its socket file; connections end with the process.
  const stop = () => {
    for (const server of servers) server.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
  process.once('disconnect', stop);
  // Last: who reads it may end us at once.
  const ready = { ready: true, socket: socketPath, control: controlPath ?? null, pid: process.pid };
  print(JSON.stringify(ready));
  process.send?.(ready);
}

const flags = readFlags();
if (flags.help) {
  print(HELP);
} else if (flags.tell !== undefined) {
  tell(flags.control ?? refuse('--tell needs --control PATH.'), flags.tell);
} else {
  const speed = Number(flags.speed);
  if (!(speed >= 0.1 && speed <= 1_000))
    refuse(`--speed is a number from 0.1 to 1000, not "${flags.speed}".`);
  const socket = flags.socket ?? refuse('--socket PATH is missing.');
  const scenario = flags.scenario ?? refuse('--scenario FILE is missing.');
  try {
    await simulate(socket, scenario, speed, flags.control);
  } catch (error) {
    refuse(`The UPS simulator cannot run: ${(error as Error).message}`, 1);
  }
}
