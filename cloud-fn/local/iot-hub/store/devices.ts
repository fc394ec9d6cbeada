import { randomBytes } from 'node:crypto';
import type { Db } from './database.ts';

export interface Device {
  readonly deviceId: string;
  readonly status: 'enabled' | 'disabled';
  readonly statusReason: string | null;
  /** Base64. */
  readonly primaryKey: string;
  readonly secondaryKey: string;
  /** SHA-1 or SHA-256 of its certificates, capitals; one that has any goes by certificate and by no key. */
  readonly primaryThumbprint: string | null;
  readonly secondaryThumbprint: string | null;
  /** Tells a device from an earlier one of the same name. */
  readonly generationId: string;
  readonly etag: number;
}

export interface DeviceOptions {
  readonly deviceId: string;
  readonly status?: 'enabled' | 'disabled';
  readonly statusReason?: string;
  readonly primaryKey?: string;
  readonly secondaryKey?: string;
  readonly primaryThumbprint?: string | null;
  readonly secondaryThumbprint?: string | null;
}

/** Characters IoT Hub allows in a device id. */
const DEVICE_ID = /^[A-Za-z0-9\-._%#*?!(),:=@$']{1,128}$/;
export const isDeviceId = (text: unknown): text is string => typeof text === 'string' && DEVICE_ID.test(text);

const newKey = () => randomBytes(32).toString('base64');

const thumbprint = (
  name: 'primaryThumbprint' | 'secondaryThumbprint',
  wanted: DeviceOptions,
  known: Device | undefined,
) => (wanted[name] === undefined ? (known?.[name] ?? null) : wanted[name]);

const COLUMNS = `device_id AS deviceId, status, status_reason AS statusReason, primary_key AS primaryKey,
  secondary_key AS secondaryKey, primary_thumbprint AS primaryThumbprint,
  secondary_thumbprint AS secondaryThumbprint, generation_id AS generationId, etag`;

export interface Devices {
  get(deviceId: string): Device | undefined;
  list(): Device[];
  /** Creates it with fresh keys, or changes what the wanted names. */
  put(wanted: DeviceOptions): Device;
  /** With its twin, messages and tickets. */
  remove(deviceId: string): boolean;
}

/** Device identities. */
export function createDevices(db: Db): Devices {
  const select = db.prepare<[string], Device>(`SELECT ${COLUMNS} FROM devices WHERE device_id = ?`);
  const selectAll = db.prepare<[], Device>(`SELECT ${COLUMNS} FROM devices ORDER BY device_id LIMIT 1000`);
  const insert = db.prepare(`INSERT INTO devices
    (device_id, status, status_reason, primary_key, secondary_key, primary_thumbprint, secondary_thumbprint,
     generation_id)
    VALUES (@deviceId, @status, @statusReason, @primaryKey, @secondaryKey, @primaryThumbprint,
      @secondaryThumbprint, @generationId)`);
  const insertTwin = db.prepare('INSERT INTO twins (device_id) VALUES (?)');
  const update = db.prepare(`UPDATE devices SET status = @status, status_reason = @statusReason,
    primary_key = @primaryKey, secondary_key = @secondaryKey,
    primary_thumbprint = @primaryThumbprint, secondary_thumbprint = @secondaryThumbprint, etag = etag + 1 WHERE device_id = @deviceId`);
  const remove = db.prepare('DELETE FROM devices WHERE device_id = ?');

  const put = db.transaction((wanted: DeviceOptions): Device => {
    const known = select.get(wanted.deviceId);
    const row = {
      deviceId: wanted.deviceId,
      status: wanted.status ?? known?.status ?? 'enabled',
      statusReason: wanted.statusReason ?? known?.statusReason ?? null,
      primaryKey: wanted.primaryKey ?? known?.primaryKey ?? newKey(),
      secondaryKey: wanted.secondaryKey ?? known?.secondaryKey ?? newKey(),
      primaryThumbprint: thumbprint('primaryThumbprint', wanted, known),
      secondaryThumbprint: thumbprint('secondaryThumbprint', wanted, known),
      generationId: known?.generationId ?? String(BigInt(`0x${randomBytes(7).toString('hex')}`)),
    };
    if (known) update.run(row);
    else {
      insert.run(row);
      insertTwin.run(wanted.deviceId);
    }
    return { ...row, etag: (known?.etag ?? 0) + 1 };
  });

  return {
    get: (deviceId) => select.get(deviceId),
    list: () => selectAll.all(),
    put,
    remove: (deviceId) => remove.run(deviceId).changes > 0,
  };
}
