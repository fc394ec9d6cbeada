import type { Stage } from '../stage.ts';

type Play = (stage: Stage) => Promise<void>;

/** Starts one with an input, or with what is made of its id, and goes on with it. */
const started =
  (then: (stage: Stage, id: string) => Promise<void>) =>
  (orchestrator: string, input?: unknown): Play =>
  async (stage) => {
    const id = stage.id();
    await stage.start(orchestrator, id, typeof input === 'function' ? input(id) : input);
    await then(stage, id);
  };
/** Starts, waits for the end, and notes it with its history. */
export const ended = started((stage, id) => stage.end(id));
/** As `ended`, with what the triggers saw. */
export const whole = started(async (stage, id) => {
  await stage.end(id);
  await stage.triggers(id);
});
/** Waits for the end, and notes how it ended and with what. */
export async function summary(stage: Stage, id: string): Promise<void> {
  const { runtimeStatus, output } = await stage.finished(id);
  stage.note('end', { runtimeStatus, output });
}
/** Of what runs side by side only the end is alike: its order is chance. */
export const endedInAnyOrder = started(summary);

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
