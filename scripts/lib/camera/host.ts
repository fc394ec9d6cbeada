import { readCameraAddress } from '@dachawatch/contracts';
import { quoted } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';

export interface Host {
  /** As it stands in an address: IPv6 in brackets. */
  readonly host: string;
  readonly port: number;
}

/** Reads `HOST[:PORT]`.
 *  @throws Refusal */
export function readHost(text: string, usualPort: number): Host {
  const read = /[/?#@]/.test(text) ? { problem: '' } : readCameraAddress(`rtsp://${text}`);
  if ('problem' in read)
    throw new Refusal(`${quoted(text)} is no host; it is written HOST or HOST:PORT, like 192.168.1.20:8000`);
  const { host } = new URL(read.address);
  const port = /:(\d+)$/.exec(host)?.[1];
  return {
    host: port === undefined ? host : host.slice(0, -port.length - 1),
    port: port === undefined ? usualPort : Number(port),
  };
}

/** As it stands in an address. */
export const inAddress = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** As sockets want it. */
export const bare = (host: string): string => host.replaceAll(/^\[|\]$/g, '');
