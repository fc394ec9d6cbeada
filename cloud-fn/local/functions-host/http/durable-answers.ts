import type { HistoryEvent, RuntimeStatus } from '../engine/wire.ts';
import { iso } from '../engine/wire.ts';
import { shownHistory } from '../engine/shown-history.ts';
import type { InstanceRow } from '../engine/history-sql.ts';
import { json, type HostResponse } from './http-server.ts';

/** The answers of the Durable extension, field by field. */

export const EMPTY_404: HostResponse = { status: 404 };
export const accepted: HostResponse = { status: 202 };

/** An error with nothing but its sentence. */
export const error = (status: number, Message: string): HostResponse => json(status, { Message });

/** An error that was an exception in the extension. The stack is not for us to make up. */
export const exception = (
  status: number,
  Message: string,
  ExceptionMessage: string,
  ExceptionType = 'System.InvalidOperationException',
): HostResponse => json(status, { Message, ExceptionMessage, ExceptionType, StackTrace: null });

export const wentWrong = (ExceptionMessage: string, ExceptionType?: string): HostResponse =>
  exception(500, 'Something went wrong while processing your request', ExceptionMessage, ExceptionType);

export const notJson = (why: string): HostResponse =>
  exception(400, 'Invalid JSON content', why, 'Newtonsoft.Json.JsonReaderException');

export const alreadyExists = (status: RuntimeStatus): string =>
  `An Orchestration instance with the status ${status} already exists.`;

/** Whole seconds. */
const seconds = (ms: number): string => iso(Math.floor(ms / 1000) * 1000).replace('.000Z', 'Z');

export const flag = (query: URLSearchParams, name: string): boolean | undefined => {
  const value = parameter(query, name)?.trim().toLowerCase();
  return value === 'true' ? true : value === 'false' ? false : undefined;
};

/** The names of parameters ignore case. */
export function parameter(query: URLSearchParams, name: string): string | undefined {
  const values = parameters(query, name);
  return values.length === 0 ? undefined : values.join(',');
}
export const parameters = (query: URLSearchParams, name: string): string[] =>
  [...query].flatMap(([key, value]) => (key.toLowerCase() === name.toLowerCase() ? [value] : []));

/** @param events undefined: without history */
export function instanceBody(
  row: InstanceRow,
  query: URLSearchParams,
  events?: readonly HistoryEvent[],
): Record<string, unknown> {
  const value = (text: string | null) => (text === null ? null : (JSON.parse(text) as unknown));
  return {
    name: row.name,
    instanceId: row.id,
    ...(row.parent_id === null ? {} : { parentInstanceId: row.parent_id }),
    runtimeStatus: row.status,
    input: flag(query, 'showInput') === false ? null : value(row.input),
    customStatus: value(row.custom_status),
    output: value(row.output),
    createdTime: seconds(row.created_ms),
    lastUpdatedTime: seconds(row.updated_ms),
    ...(events ? { historyEvents: shownHistory(events, flag(query, 'showHistoryOutput') === true) } : {}),
  };
}
