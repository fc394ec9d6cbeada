import { randomUUID } from 'node:crypto';
import type { HostedFunction } from './bindings.ts';
import type { FunctionCallback, Hook, LoadedApp, RpcData } from '../core-api.ts';

export type Log = (entry: Readonly<Record<string, unknown>>) => void;

export interface InvokerDeps {
  readonly app: LoadedApp;
  /** What a `durableClient` input binding receives. */
  readonly durableClient: () => object;
  readonly log: Log;
  /** A function that takes longer is reported as failed; it is not stopped. Undefined: as long as it likes. */
  readonly timeoutMs: number | undefined;
}

/** The value the trigger gave, and what `context.triggerMetadata` shows beside it. */
export interface Invocation {
  readonly data: RpcData;
  readonly metadata?: Readonly<Record<string, RpcData>>;
}

export type Invoke = (target: HostedFunction, invocation: Invocation) => Promise<RpcData | undefined>;

/** Calls a function through the steps of the real worker: arguments, preInvocation hooks, the function,
 *  postInvocation hooks, response. Rejects with the function's error. */
export function createInvoker({ app, durableClient, log, timeoutMs }: InvokerDeps) {
  const appHookData = {};

  const runHooks = async (name: string, context: object) => {
    for (const hook of app.hooks.get(name) ?? []) await hook(context);
  };

  const logOf = (functionName: string, invocationId: string, hookData: object) => {
    return (level: string, category: string, message: string) => {
      const entry = { hookData, appHookData, level, message, category };
      for (const hook of app.hooks.get('log') ?? []) hook(entry);
      log({
        event: 'function.log',
        function: functionName,
        invocationId,
        level: entry.level,
        message: entry.message,
      });
    };
  };

  const call = async (target: HostedFunction, { data, metadata }: Invocation, invocationId: string) => {
    const hookData = {};
    const coreInvocation = {
      invocationId,
      metadata: target.metadata,
      request: {
        inputData: [
          { name: target.triggerName, data },
          ...Object.entries(target.metadata.bindings)
            .filter(([, binding]) => binding.type === 'durableClient')
            .map(([name]) => ({ name, data: { json: JSON.stringify(durableClient()) } })),
        ],
        triggerMetadata: metadata ?? {},
      },
      state: 'invocation',
      log: logOf(target.name, invocationId, hookData),
    };
    const model = app.model.getInvocationModel(coreInvocation);
    const { context, inputs } = await model.getArguments();
    const before: { inputs: unknown[]; functionCallback: FunctionCallback } & object = {
      hookData,
      appHookData,
      invocationContext: context,
      functionCallback: callbackOf(app, target.name),
      inputs,
    } as never;
    await runHooks('preInvocation', before);
    const after: { result?: unknown; error?: unknown } & object = {
      hookData,
      appHookData,
      invocationContext: context,
      inputs: before.inputs,
    } as never;
    try {
      after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
    } catch (error) {
      after.error = error;
    }
    coreInvocation.state = 'postInvocationHooks';
    await runHooks('postInvocation', after);
    if (after.error !== undefined && after.error !== null) throw after.error;
    return (await model.getResponse(context, after.result)).returnValue ?? undefined;
  };

  const invoke: Invoke = async (target, invocation) => {
    const invocationId = randomUUID();
    const startedMs = performance.now();
    const late = tooLate(target.name, timeoutMs);
    const ended = (outcome: object) =>
      log({
        event: 'function.invoked',
        function: target.name,
        kind: target.kind,
        invocationId,
        durationMs: Math.round(performance.now() - startedMs),
        ...outcome,
      });
    try {
      const answer = await Promise.race([call(target, invocation, invocationId), late.promise]);
      ended({ ok: true });
      return answer;
    } catch (error) {
      ended({ ok: false, message: firstLine(error) });
      throw error;
    } finally {
      late.end();
    }
  };

  return {
    invoke,
    /** Tells the app that the host has started. */
    appStarted: () => runHooks('appStart', { hookData: {}, appHookData }),
    appTerminating: () => runHooks('appTerminate', { hookData: {}, appHookData }),
  };
}

export type Invoker = ReturnType<typeof createInvoker>;
export type { Hook };

function callbackOf({ functions }: LoadedApp, name: string): FunctionCallback {
  const loaded = functions.get(name);
  if (loaded === undefined) throw new Error(`There is no function ${name}.`);
  return loaded.callback;
}

/** Rejects when a function has taken too long; `end` must be called. */
function tooLate(name: string, timeoutMs: number | undefined): { promise: Promise<never>; end: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  if (timeoutMs === undefined) return { promise, end: () => undefined };
  const timer = setTimeout(
    () => reject(new Error(`Timeout value of ${timeoutMs / 1000} s exceeded by function: ${name}`)),
    timeoutMs,
  );
  timer.unref();
  return { promise, end: () => clearTimeout(timer) };
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';

/** The JSON text of a returned value. Nothing returned is `null`. */
export function jsonOf(data: RpcData | undefined): string {
  if (data?.json !== undefined) return data.json;
  if (data?.string !== undefined) return JSON.stringify(data.string);
  if (data?.bytes !== undefined) return JSON.stringify(Buffer.from(data.bytes).toString('base64'));
  return JSON.stringify(data?.int ?? data?.double ?? null);
}
