import type { Connection, Message, Sender } from 'rhea';
import { SERVICE_POLICY, type HubParts } from '../parts.ts';
import { checkSas } from '../sas.ts';

export interface Claims {
  answerOn(connection: Connection, sender: Sender): void;
  /** Takes a token and answers 200 or 401. */
  put(connection: Connection, message: Message): void;
  /** Does the connection hold a token that has not expired? */
  hold(connection: Connection): boolean;
}

/** Claims-based security: a client puts a token for the connection before it opens links. */
export function createClaims({
  serviceKey,
  nowMs,
  hostNames,
}: Pick<HubParts, 'serviceKey' | 'nowMs'> & { hostNames: () => readonly string[] }): Claims {
  const answers = new WeakMap<Connection, Sender>();
  const validUntilMs = new WeakMap<Connection, number>();

  function judge(body: unknown): { expiresMs: number } | { refused: string } {
    if (typeof body !== 'string') return { refused: 'the body is not a token' };
    const verdict = checkSas(body, { keys: [serviceKey], resources: hostNames(), nowMs: nowMs() });
    if ('refused' in verdict) return verdict;
    if (verdict.token.policy !== SERVICE_POLICY) return { refused: 'the token names another policy' };
    return { expiresMs: verdict.token.expiresMs };
  }

  return {
    answerOn: (connection, sender) => answers.set(connection, sender),
    hold: (connection) => (validUntilMs.get(connection) ?? 0) > nowMs(),
    put: (connection, message) => {
      const verdict = judge(message.body);
      if ('expiresMs' in verdict) validUntilMs.set(connection, verdict.expiresMs);
      answers.get(connection)?.send({
        ...(message.message_id === undefined ? {} : { correlation_id: message.message_id }),
        application_properties:
          'refused' in verdict
            ? { 'status-code': 401, 'status-description': verdict.refused }
            : { 'status-code': 200, 'status-description': 'OK' },
        body: '',
      });
    },
  };
}
