import type { History } from '../engine/history.ts';
import type { InstanceRow } from '../engine/history-sql.ts';
import { isFinal, type RuntimeStatus } from '../engine/wire.ts';
import { accepted, EMPTY_404, error, notJson, parameter, wentWrong } from './durable-answers.ts';
import { json, type HostRequest, type HostResponse } from './http-server.ts';
import { jsonText, whyNotJson } from '../../json-text.ts';

export interface InstanceCommandsDeps {
  readonly history: Pick<History, 'instance' | 'raiseEvent' | 'terminate' | 'suspend' | 'resume' | 'rewind'>;
  readonly nowMs: () => number;
}

export type InstanceCommand = (
  request: HostRequest,
  id: string,
  verb: string,
  rest: string | undefined,
) => HostResponse;

/** What POST to `instances/{id}/{verb}` does to an instance.
 *  @returns takes the verb in small letters, and what stands behind it: the name of an event */
export function createInstanceCommands({ history, nowMs }: InstanceCommandsDeps): InstanceCommand {
  const raise = (request: HostRequest, row: InstanceRow, name: string): HostResponse => {
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/json') return error(400, 'Only application/json request content is supported');
    const input = jsonText(request.body);
    if (input === null) return notJson("Error reading JToken from JsonReader. Path '', line 0, position 0.");
    if (input === undefined) return notJson(whyNotJson(request.body));
    history.raiseEvent(row.id, name, input, nowMs());
    return accepted;
  };

  const rewind = (id: string, reason: string | null): HostResponse => {
    const row = history.instance(id);
    if (row === undefined) return json(404, `No orchestration with instance ID "$${id}" found.`);
    if (row.status !== 'Failed')
      return json(
        412,
        `This orchestration has status ${row.status}, but only orchestrations in the "Failed" state can be rewound.`,
      );
    history.rewind(id, reason, nowMs());
    return accepted;
  };

  /** Verbs for an instance that has not ended. */
  const change = (verb: string, { id, status }: InstanceRow, reason: string | null): HostResponse => {
    const inState = (state: RuntimeStatus) =>
      wentWrong(`Cannot ${verb} the orchestration instance ${id} because instance is in the ${state} state.`);
    switch (verb) {
      case 'terminate':
        history.terminate(id, reason, nowMs());
        return accepted;
      case 'suspend':
        if (status === 'Suspended') return inState(status);
        history.suspend(id, reason, nowMs());
        return accepted;
      default:
        if (status !== 'Suspended') return inState(status);
        history.resume(id, reason, nowMs());
        return accepted;
    }
  };

  return (request, id, verb, rest) => {
    const reason = parameter(request.url.searchParams, 'reason') ?? null;
    if (verb === 'rewind') return rewind(id, reason);
    const isRaise = verb === 'raiseevent' && rest !== undefined && rest !== '';
    if (!isRaise && !['terminate', 'suspend', 'resume'].includes(verb)) return EMPTY_404;
    const row = history.instance(id);
    if (row === undefined) return EMPTY_404;
    if (isFinal(row.status)) return { status: 410 };
    return isRaise ? raise(request, row, rest) : change(verb, row, reason);
  };
}
