import { identityOfApp } from '../ports/compute/arm-compute.ts';
import { createContainerAppsJob } from '../ports/compute/container-apps-job.ts';
import { createContainerGroup } from '../ports/compute/container-group.ts';
import { type ChannelSettings, type ComputeSettings, readSettings, type Settings } from '../settings.ts';
import { createAzureStorage } from '../ports/azure-storage.ts';
import { systemClock, type Clock } from '../ports/clock.ts';
import { elsewhereCompute, type ComputePort } from '../ports/compute/compute.ts';
import { noDeviceLink, type DeviceLinkPort } from '../ports/device-link.ts';
import { createIotHubDeviceLink } from '../ports/iot-hub-device-link.ts';
import { createLocalProcessCompute } from '../ports/compute/local-process-compute.ts';
import { stderrLog, type PortLog } from '../ports/log.ts';
import { createNotificationQueue } from '../ports/notification-queue.ts';
import { createNtfy } from '../ports/channels/ntfy.ts';
import { createTelegram } from '../ports/channels/telegram.ts';
import { createNotificationWebhook } from '../ports/channels/webhook.ts';
import { createNotificationOutbox } from '../ports/notification-outbox.ts';
import type { NotificationChannel, NotificationPort } from '../ports/notification.ts';
import type { StoragePort } from '../ports/storage.ts';

export interface Ports {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: PortLog;
  readonly storage: StoragePort;
  readonly compute: ComputePort;
  readonly deviceLink: DeviceLinkPort;
  readonly notification: NotificationPort;
}

let composed: Ports | undefined;

/** The ports of this process, made at the first call: registering functions needs no settings. */
export const ports = (): Ports => (composed ??= compose(readSettings()));

/** In place of those that the settings name: where a world is played in which time and storage are not real. */
export function usePorts(given: Ports): void {
  composed = given;
}

/** Ends what the ports hold: the worker process, the link to the hub. */
export async function stopPorts(): Promise<void> {
  const held = composed;
  composed = undefined;
  await Promise.all([held?.compute.stop(), held?.deviceLink.stop()]);
}

function compose(settings: Settings): Ports {
  const clock = systemClock;
  const log = stderrLog;
  const storage = createAzureStorage(settings.storage);
  const { compute, hub } = settings;
  return {
    settings,
    clock,
    log,
    storage,
    compute: computeOf(compute, { clock, log }),
    deviceLink: hub ? createIotHubDeviceLink({ access: hub }) : noDeviceLink,
    notification: createNotificationOutbox({
      channels: [
        createNotificationQueue(storage),
        ...settings.channels.map((channel) => channelOf(channel, { storage, clock, log })),
      ],
      storage,
      clock,
      log,
    }),
  };
}

function computeOf(settings: ComputeSettings, deps: Pick<Ports, 'clock' | 'log'>): ComputePort {
  if (settings.kind === 'none') return elsewhereCompute;
  if (settings.kind === 'local-process') return createLocalProcessCompute({ ...settings, ...deps });
  const create = settings.kind === 'container-apps-job' ? createContainerAppsJob : createContainerGroup;
  return create({ credential: identityOfApp, endpoint: settings.endpoint }, settings.resource);
}

function channelOf(
  settings: ChannelSettings,
  deps: Pick<Ports, 'clock' | 'log' | 'storage'>,
): NotificationChannel {
  if (settings.kind === 'telegram') return createTelegram({ ...settings, ...deps });
  return settings.kind === 'ntfy'
    ? createNtfy({ ...settings, ...deps })
    : createNotificationWebhook({ ...settings, ...deps });
}
