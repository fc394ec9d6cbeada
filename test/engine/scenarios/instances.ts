import type { Stage } from '../stage.ts';

/** An instance that waits for an event. */
export const waiting = async (stage: Stage, name = ''): Promise<string> => {
  const id = stage.id(name);
  await stage.start('wait', id);
  await stage.says(id, 'waiting');
  return id;
};
/** An instance that has ended. */
export const over = async (stage: Stage, orchestrator = 'echo-input', name = ''): Promise<string> => {
  const id = stage.id(name);
  await stage.start(orchestrator, id, 'x');
  await stage.finished(id);
  return id;
};
export const terminated = async (stage: Stage): Promise<string> => {
  const id = await waiting(stage);
  await stage.manage('POST', `instances/${id}/terminate?reason=enough`);
  await stage.finished(id);
  return id;
};

/** Status and the texts of an error, without stacks and types. */
export function briefly({ status, body }: { readonly status: number; readonly body: unknown }) {
  if (typeof body !== 'object' || body === null) return { status, body };
  const { Message, ExceptionMessage } = body as { Message?: string; ExceptionMessage?: string };
  return { status, fields: Object.keys(body), Message, ExceptionMessage };
}
