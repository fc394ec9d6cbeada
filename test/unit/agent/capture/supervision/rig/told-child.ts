/** A capture process that does what a test tells it: run by told-children.ts in the place of the real one. What it
 *  is sent by its parent goes to the test, line by line, through the socket named in `TEST_SOCKET`; the test's lines
 *  say what it does. It ends with the socket, or with its parent. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** One thing to do. */
export type Order =
  | { readonly send: unknown }
  | { readonly exit: number }
  | { readonly say: string }
  /** Lets go of its parent and lives on. */
  | { readonly disconnect: true };

const socket = connect(process.env['TEST_SOCKET'] ?? '');
const report = (what: object) => socket.write(`${JSON.stringify(what)}\n`);
socket.on('close', () => process.exit(9)).on('error', () => process.exit(9));
report({ pid: process.pid, environment: process.env });
process.on('message', (message) => report({ message }));
process.on('SIGTERM', () => undefined);
let letGo = false;
process.on('disconnect', () => {
  if (!letGo) process.exit(9);
});
const orders = createInterface({ input: socket });
orders.on('error', () => process.exit(9));
orders.on('line', (line) => {
  const order = JSON.parse(line) as Order;
  if ('send' in order) process.send?.(order.send);
  else if ('say' in order) process.stderr.write(`${order.say}\n`);
  else if ('exit' in order) process.exit(order.exit);
  else {
    letGo = true;
    process.disconnect();
  }
});
