/** Cameras of the networks that this machine is in (WS-Discovery). */
import { networkInterfaces } from 'node:os';
import onvif from 'onvif';
import { orAborted } from '../../../../agent/kernel/waiting/deadline.ts';
import { quoted } from '../../command/arguments.ts';
import { Refusal } from '../../command/ends.ts';
import { at, word } from './profiles.ts';
import type { OnvifPlace } from './session.ts';

export interface FoundCamera {
  /** As it names itself. */
  readonly urn: string;
  readonly name: string;
  readonly place: OnvifPlace;
}

export interface Network {
  readonly name: string;
  readonly address: string;
}

const MAX_CAMERAS = 64;

/** Networks with an IPv4 address; all but this machine's own when none is named.
 *  @throws Refusal */
export function networksNamed(names: readonly string[]): Network[] {
  const all = Object.entries(networkInterfaces()).flatMap(([name, list = []]) => {
    const first = list.find(({ family }) => family === 'IPv4');
    return first ? [{ name, address: first.address, isOwn: first.internal }] : [];
  });
  const missing = names.find((name) => !all.some((one) => one.name === name));
  if (missing !== undefined)
    throw new Refusal(
      `--interface: there is no network ${quoted(missing)} with an IPv4 address; there are ${all.map(({ name }) => name).join(', ')}`,
    );
  const wanted = all.filter(({ name, isOwn }) => (names.length > 0 ? names.includes(name) : !isOwn));
  return wanted.map(({ name, address }) => ({ name, address }));
}

/** Asks all cameras of these networks who they are, once, and listens for so long. */
export async function discover(
  networks: readonly Network[],
  waitMs: number,
  signal: AbortSignal,
): Promise<FoundCamera[]> {
  const found = new Map<string, FoundCamera>();
  const onDevice = (data: unknown, from: { readonly address: string }) => {
    const camera = cameraIn(data, from.address);
    if (camera && found.size < MAX_CAMERAS && !found.has(camera.urn)) found.set(camera.urn, camera);
  };
  // Whatever else answers at that port is no camera.
  const onError = () => undefined;
  onvif.Discovery.on('device', onDevice);
  onvif.Discovery.on('error', onError);
  try {
    const probe = ({ name }: Network) =>
      new Promise<void>((done) =>
        onvif.Discovery.probe({ timeout: waitMs, resolve: false, device: name }, () => done()),
      );
    await orAborted(Promise.all(networks.map(probe)), signal);
  } finally {
    onvif.Discovery.off('device', onDevice);
    onvif.Discovery.off('error', onError);
  }
  return [...found.values()].toSorted((one, other) => (one.place.host < other.place.host ? -1 : 1));
}

/** The camera is where its answer came from, whatever host it names. */
function cameraIn(data: unknown, host: string): FoundCamera | undefined {
  const match = at(data, 'probeMatches', 'probeMatch');
  const urn = word(at(match, 'endpointReference', 'address'));
  const addresses = text(at(match, 'XAddrs'))
    .split(/\s+/)
    .flatMap((one) => (URL.canParse(one) ? [new URL(one)] : []))
    .filter(({ protocol }) => protocol === 'http:');
  const address = addresses.find(({ hostname }) => hostname === host) ?? addresses[0];
  if (urn === '' || !address) return undefined;
  return { urn, name: nameIn(text(at(match, 'scopes'))), place: placeOf(address, host) };
}

const placeOf = (address: URL, host: string): OnvifPlace => ({
  host,
  port: address.port === '' ? 80 : Number(address.port),
  path: address.pathname,
});

const MAX_TEXT = 4_096;
const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MAX_TEXT) : '');

/** Of the scopes, what it is called and what it is. */
function nameIn(scopes: string): string {
  const said = (what: string) => {
    const found = new RegExp(`onvif://www\\.onvif\\.org/${what}/(\\S+)`, 'i').exec(scopes)?.[1] ?? '';
    try {
      return decodeURIComponent(found);
    } catch {
      return found; // Not encoded, or wrongly: as it is.
    }
  };
  const names = new Set([said('name'), said('hardware')].filter((one) => one !== ''));
  return [...names].join(' ').slice(0, 80) || 'a camera without a name';
}
