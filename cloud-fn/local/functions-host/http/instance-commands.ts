import type { History } from '../engine/history.ts';
import { isFinal, type RuntimeStatus } from '../engine/wire.ts';
import { problem, type HostRequest, type HostResponse } from './http-server.ts';
import { jsonText } from './json-text.ts';

export interface InstanceCommandsDeps {
  readonly history: Pick<History, 'raiseEvent' | 'terminate' | 'suspend' | 'resume'>;
  /** Something was changed that the engine should see. */
  readonly onChanged: () => void;
  readonly nowMs: () => number;
}

export type InstanceCommand = (
  request: HostRequest,
  id: string,
  verb: string,
  rest: string | undefined,
) => HostResponse;

/** What POST to `instances/{id}/{verb}` does to an instance that runs.
 *  @returns takes the verb, and what stands behind it: the name of an event */
export function createInstanceCommands({ history, onChanged, nowMs }: InstanceCommandsDeps): InstanceCommand {
  const accepted = (status: RuntimeStatus | undefined): HostResponse => {
    if (status === undefined) return problem(404, 'No instance with that id.');
    if (isFinal(status)) return problem(410, `The instance is ${status}.`);
    onChanged();
    return { status: 202 };
  };
  return (request, id, verb, rest) => {
    const reason = request.url.searchParams.get('reason') ?? '';
    switch (verb.toLowerCase()) {
      case 'raiseevent': {
        const input = jsonText(request.body);
        if (rest === undefined || rest === '') return problem(400, 'The event has no name.');
        if (input === undefined) return problem(400, 'The event is not JSON.');
        return accepted(history.raiseEvent(id, rest, input ?? 'null', nowMs()));
      }
      case 'terminate':
        return accepted(history.terminate(id, reason, nowMs()));
      case 'suspend':
        return accepted(history.suspend(id, nowMs()));
      case 'resume':
        return accepted(history.resume(id, nowMs()));
      case 'rewind':
        return problem(501, 'The local Functions host does not emulate rewind.');
      default:
        return problem(404, `There is no operation ${verb}.`);
    }
  };
}
