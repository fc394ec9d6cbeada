import { publishOnce, topicQuery, type DeviceLink } from './device-link.ts';

const ANSWER = /^\$iothub\/methods\/res\/(-?\d{1,9})\//;

export interface MethodAnswer {
  readonly status: number;
  readonly payload: unknown;
}

export interface MethodCalls {
  /** Undefined when the device does not answer in time. */
  call(
    link: DeviceLink,
    request: { name: string; payload: string; timeoutMs: number },
  ): Promise<MethodAnswer | undefined>;
  /** @returns false when the topic is not a method's answer */
  handle(topic: string, payload: Buffer): boolean;
}

/** Direct methods: a request over MQTT, its answer matched by request id. */
export function createMethodCalls(): MethodCalls {
  const waiting = new Map<string, (answer: MethodAnswer | undefined) => void>();
  let last = 0;
  return {
    call: async (link, { name, payload, timeoutMs }) => {
      last += 1;
      const rid = last.toString(16);
      let timer: NodeJS.Timeout | undefined;
      try {
        return await new Promise((resolve) => {
          waiting.set(rid, resolve);
          timer = setTimeout(() => resolve(undefined), timeoutMs);
          publishOnce(link, `$iothub/methods/POST/${encodeURIComponent(name)}/?$rid=${rid}`, payload);
        });
      } finally {
        clearTimeout(timer);
        waiting.delete(rid);
      }
    },
    handle: (topic, payload) => {
      const status = ANSWER.exec(topic)?.[1];
      if (status === undefined) return false;
      waiting.get(topicQuery(topic).get('$rid') ?? '')?.({
        status: Number(status),
        payload: readPayload(payload),
      });
      return true;
    },
  };
}

function readPayload(payload: Buffer): unknown {
  if (payload.length === 0) return null;
  try {
    return JSON.parse(payload.toString());
  } catch {
    return payload.toString(); // a device may answer with plain text
  }
}
