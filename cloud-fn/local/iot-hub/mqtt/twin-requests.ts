import { isJson, type Json } from '@dachawatch/contracts';
import type { Faults } from '../faults.ts';
import type { Events } from '../store/events.ts';
import { SECTION_LIMIT_BYTES, TwinTooLarge, TwinUnfit, type Twins } from '../store/twins.ts';
import { publishOnce, topicQuery, type DeviceLink } from './device-link.ts';

const GET = '$iothub/twin/GET/';
const REPORT = '$iothub/twin/PATCH/properties/reported/';

export interface TwinRequests {
  /** @returns false when the topic is none of the twin's */
  handle(link: DeviceLink, topic: string, payload: Buffer): boolean;
  /** Tells a listening device what the service changed. */
  pushDesired(link: DeviceLink, patch: Json, version: number): void;
}

/** Twin read and reported update over MQTT. Answers go only to a device that subscribed to them. */
export function createTwinRequests({
  twins,
  events,
  faults,
}: {
  twins: Twins;
  events: Pick<Events, 'record'>;
  faults: Faults;
}): TwinRequests {
  function answer(link: DeviceLink, topic: string, status: number, body: unknown, version?: number): void {
    if (faults.dropTwinAnswers || !link.session.subscriptions.has('twin-answers')) return;
    const rid = topicQuery(topic).get('$rid') ?? '';
    const shown = faults.twinAnswer ?? {
      status,
      body: body === undefined ? '' : JSON.stringify(body),
    };
    const suffix = version === undefined ? '' : `&$version=${version}`;
    publishOnce(link, `$iothub/twin/res/${shown.status}/?$rid=${rid}${suffix}`, shown.body);
  }

  function report(link: DeviceLink, topic: string, payload: Buffer): void {
    const refuse = (errorCode: number, message: string) =>
      answer(link, topic, 400, { errorCode, message, trackingId: '' });
    const patch = payload.length > SECTION_LIMIT_BYTES ? undefined : readJson(payload);
    if (payload.length > SECTION_LIMIT_BYTES) return refuse(400_017, 'Twin size too large');
    if (!patch) return refuse(400_004, 'The patch is not a JSON object');
    try {
      const { deviceId } = link;
      const version = faults.twinAnswer ? 0 : twins.report(deviceId, patch);
      const body = Buffer.from(JSON.stringify({ version, patch }));
      if (!faults.twinAnswer) events.record({ deviceId, kind: 'reported', topic: '', body });
      answer(link, topic, 204, undefined, version);
    } catch (error) {
      if (!(error instanceof TwinUnfit)) throw error;
      refuse(error instanceof TwinTooLarge ? 400_017 : 400_004, error.message);
    }
  }

  return {
    handle: (link, topic, payload) => {
      if (topic.startsWith(GET)) {
        const twin = twins.get(link.deviceId);
        answer(link, topic, 200, {
          desired: { ...twin?.desired, $version: twin?.desiredVersion },
          reported: { ...twin?.reported, $version: twin?.reportedVersion },
        });
        return true;
      }
      if (!topic.startsWith(REPORT)) return false;
      report(link, topic, payload);
      return true;
    },
    pushDesired: (link, patch, version) => {
      if (!link.session.subscriptions.has('desired')) return;
      const topic = `$iothub/twin/PATCH/properties/desired/?$version=${version}`;
      publishOnce(link, topic, JSON.stringify({ ...patch, $version: version }));
    },
  };
}

function readJson(payload: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return isJson(value) ? value : undefined;
  } catch {
    return undefined; // not JSON: the caller answers 400
  }
}
