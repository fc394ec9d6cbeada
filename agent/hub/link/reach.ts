import { connect } from 'node:net';
import { Failure } from '../../kernel/failure.ts';

/** Resolves when a TCP connection can be made there; it is closed again, and nothing is sent. Asked before each
 *  attempt: a network that is not there is found out for some bytes, without a client and its secrets.
 *  @throws Failure transient `hub.unreachable` */
export function reach(
  { host, port }: { readonly host: string; readonly port: number },
  withinMs: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const end = (why?: string) => {
      signal.removeEventListener('abort', aborted);
      clearTimeout(timer);
      // Late errors of a socket nobody waits for.
      socket.on('error', () => undefined);
      socket.destroy();
      if (why === undefined) resolve();
      else reject(new Failure('transient', 'hub.unreachable', `${host}:${port} cannot be reached: ${why}`));
    };
    const aborted = () => end('the link is being stopped');
    const timer = setTimeout(() => end(`no answer in ${withinMs} ms`), withinMs);
    socket.once('connect', () => end());
    socket.once('error', (error) => end(error.message));
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });
}
