import { createHmac, randomBytes } from 'node:crypto';
import type { CameraCredential } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { orAborted } from '../../kernel/waiting/deadline.ts';
import { keepRefusedLogins, readRefusedLogins } from './refused-logins-file.ts';
import { tookTooLong } from '../took-too-long.ts';

/** A login at an address. */
export interface LoginTry {
  /** Without a login in it. */
  readonly address: string;
  readonly credential: CameraCredential;
}

export interface LoginPatience {
  /** How long this login may not be tried there; 0: now. Milliseconds. */
  holdMs(login: LoginTry): number;
  /** Waits until this login may be tried; others that wait for the same device wait until `done`.
   *  @throws Failure transient `capture.deadline` when aborted */
  turn(login: LoginTry, signal: AbortSignal): Promise<{ done(): void }>;
  /** The device knows this login. */
  isProven(login: LoginTry): boolean;
  accepted(login: LoginTry): void;
  /** @returns how long it is held now, milliseconds */
  refused(login: LoginTry): number;
}

/** Cameras lock out after five to seven wrong logins within half an hour: no half hour sees more than four of these,
 *  and the longest wait is half an hour. */
export const LOGIN_WAITS_MS = [1, 5, 15, 30].map((minutes) => minutes * 60_000);
/** Where a device lets in some channels and not others, those that it has not refused go first. */
const REFUSED_LATER_MS = 2_000;
/** A refusal this old says nothing about the next one. */
const FORGET_MS = 24 * 3_600_000;
const MAX_KEPT = 64;
/** Refusals of a device or an address in a row. */
interface Held {
  count: number;
  /** Monotonic. */
  untilMs: number;
}

interface Device {
  /** Addresses at which it has let this login in. */
  readonly accepted: Set<string>;
  busy: Promise<void> | undefined;
}

/** How often a login that was refused is tried again, so that no camera locks us out.
 *  Invariants
 *  1. After a refusal the same login waits longer each time, for everything on that device: the channels of a recorder
 *     count together. Another login or address is tried at once.
 *  2. Until a device has accepted a login, it is tried by one at a time.
 *  3. What one channel refuses to a login that the device accepts elsewhere holds only this channel. If it had
 *     accepted it there before, the login has changed, and all wait.
 *  4. A restart forgets nothing, as far as the disk lets it: the file holds no login, only what recognises one. */
export function createLoginPatience({
  clock,
  log,
  file,
  waitsMs = LOGIN_WAITS_MS,
}: {
  readonly clock: Pick<Clock, 'monotonicMs' | 'nowMs'>;
  readonly log: Log;
  /** Nothing is kept without one. */
  readonly file?: string | undefined;
  readonly waitsMs?: readonly number[] | undefined;
}): LoginPatience {
  const devices = new Map<string, Device>();
  const held = new Map<string, Held>();
  let salt = randomBytes(16).toString('hex');
  const keyOf = (place: string, { username, password }: CameraCredential) =>
    createHmac('sha256', salt).update([place, username, password].join('\0')).digest('hex');
  const deviceKey = ({ address, credential }: LoginTry) =>
    keyOf(`host ${new URL(address).hostname}`, credential);
  const addressKey = ({ address, credential }: LoginTry) => keyOf(address, credential);
  const stepMs = (count: number) => waitsMs[Math.min(count, waitsMs.length) - 1] ?? 0;

  function deviceOf(login: LoginTry): Device {
    const key = deviceKey(login);
    const device = devices.get(key) ?? { accepted: new Set(), busy: undefined };
    devices.set(key, device);
    const [oldest = key] = devices.keys();
    if (devices.size > MAX_KEPT) devices.delete(oldest);
    return device;
  }

  function hold(key: string, laterMs: number): void {
    const count = (held.get(key)?.count ?? 0) + 1;
    held.delete(key);
    held.set(key, { count, untilMs: clock.monotonicMs() + stepMs(count) + laterMs });
    for (const oldest of held.keys()) {
      if (held.size <= MAX_KEPT) break;
      held.delete(oldest);
    }
  }

  function load(): void {
    const kept = file === undefined ? undefined : readRefusedLogins(file, log);
    if (!kept) return;
    ({ salt } = kept);
    for (const { key, count, untilUtcMs } of kept.refused.slice(0, MAX_KEPT)) {
      const leftMs = untilUtcMs - clock.nowMs();
      if (leftMs < -FORGET_MS) continue;
      // The clock may have been set back meanwhile: nobody waits longer than one step.
      const waitMs = Math.min(leftMs, stepMs(count) + REFUSED_LATER_MS);
      held.set(key, { count, untilMs: clock.monotonicMs() + waitMs });
    }
  }

  function keep(): void {
    if (file === undefined) return;
    const ahead = clock.nowMs() - clock.monotonicMs();
    const refused = [...held].map(([key, { count, untilMs }]) => ({
      key,
      count,
      untilUtcMs: untilMs + ahead,
    }));
    keepRefusedLogins(file, { salt, refused }, log);
  }

  const holdMs = (login: LoginTry) => {
    const now = clock.monotonicMs();
    const leftMs = (key: string) => (held.get(key)?.untilMs ?? now) - now;
    return Math.max(0, leftMs(deviceKey(login)), leftMs(addressKey(login)));
  };

  load();
  return {
    holdMs,
    isProven: (login) => deviceOf(login).accepted.size > 0,
    turn: (login, signal) => turnAt(deviceOf(login), signal),
    accepted: (login) => {
      deviceOf(login).accepted.add(addressKey(login));
      const wasHeld = held.delete(deviceKey(login));
      if (held.delete(addressKey(login)) || wasHeld) keep();
    },
    refused: (login) => {
      const { accepted } = deviceOf(login);
      if (accepted.size === 0 || accepted.has(addressKey(login))) {
        accepted.clear();
        hold(deviceKey(login), 0);
      }
      hold(addressKey(login), REFUSED_LATER_MS);
      keep();
      return holdMs(login);
    },
  };
}

/** Waits until nobody else tries a login at a device that has not accepted it yet. */
async function turnAt(device: Device, signal: AbortSignal): Promise<{ done(): void }> {
  while (device.busy && device.accepted.size === 0)
    await orAborted(device.busy, signal, tookTooLong('the login of another camera of the same device'));
  if (device.accepted.size > 0) return { done: () => undefined };
  const { promise, resolve } = Promise.withResolvers<void>();
  device.busy = promise;
  return {
    done: () => {
      device.busy = undefined;
      resolve();
    },
  };
}
