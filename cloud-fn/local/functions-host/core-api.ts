import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

/** A binding as `@azure/functions` describes it; which fields it has depends on its type. */
export interface Binding {
  readonly type: string;
  readonly direction: 'in' | 'out';
  readonly [field: string]: unknown;
}
export interface FunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly retryOptions?: unknown;
}
export type FunctionCallback = (...inputs: unknown[]) => unknown;

/** A value between host and library: one of the fields is there. */
export interface RpcData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: Readonly<Record<string, unknown>>;
}
export interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<{ returnValue?: RpcData | null }>;
}
export interface CoreInvocation {
  readonly invocationId: string;
  readonly metadata: FunctionMetadata;
  readonly request: {
    readonly inputData: readonly { name: string; data: RpcData }[];
    readonly triggerMetadata: Readonly<Record<string, RpcData>>;
  };
  state: string;
  log(level: string, category: string, message: string): void;
}
interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(invocation: CoreInvocation): InvocationModel;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}
export type Hook = (context: object) => unknown;

export interface LoadedFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}
/** An app after its registration calls. */
export interface LoadedApp {
  readonly file: string;
  readonly functions: ReadonlyMap<string, LoadedFunction>;
  readonly hooks: ReadonlyMap<string, readonly Hook[]>;
  readonly model: ProgrammingModel;
}

const CORE_URL = 'dachawatch-functions-host:core';
const CORE_KEY = Symbol.for('dachawatch.functions-host.core');

/** Loads an unmodified Azure Functions app (ESM or CommonJS) and captures what it registers.
 *
 *  `@azure/functions` asks once for the module `@azure/functions-core`, which only the real worker provides; when
 *  it is missing it silently registers nothing. It is provided here before the app is imported. One app a process:
 *  the library remembers the first core it was given.
 *  @param file absolute path of the app's entry
 *  @throws Error when the app cannot be imported or registers no function */
export async function loadApp(file: string): Promise<LoadedApp> {
  if (CORE_KEY in globalThis) throw new Error('A process can load one functions app only.');
  const functions = new Map<string, LoadedFunction>();
  const hooks = new Map<string, Hook[]>();
  let model: ProgrammingModel | undefined;
  const disposable = (dispose: () => void) => ({ dispose });

  const core = {
    version: '3.13.0',
    hostVersion: '4.1044.400.0',
    log: (level: string, _category: string, message: string) => {
      process.emitWarning(message, `Functions.${level}`);
    },
    setProgrammingModel: (given: ProgrammingModel) => {
      model = given;
    },
    getProgrammingModel: () => model,
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) => {
      if (functions.has(metadata.name)) throw new Error(`Two functions are named "${metadata.name}".`);
      functions.set(metadata.name, { metadata, callback });
      return disposable(() => functions.delete(metadata.name));
    },
    registerHook: (name: string, hook: Hook) => {
      hooks.set(name, [...(hooks.get(name) ?? []), hook]);
      return disposable(() =>
        hooks.set(
          name,
          (hooks.get(name) ?? []).filter((one) => one !== hook),
        ),
      );
    },
    Disposable: class {
      dispose() {
        return undefined;
      }
    },
  };
  Object.defineProperty(globalThis, CORE_KEY, { value: core });
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@azure/functions-core'
        ? { url: CORE_URL, format: 'commonjs', shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url === CORE_URL
        ? {
            format: 'commonjs',
            source: `module.exports = globalThis[Symbol.for('${CORE_KEY.description}')];`,
            shortCircuit: true,
          }
        : next(url, context),
  });

  await import(pathToFileURL(file).href);
  if (model === undefined || functions.size === 0)
    throw new Error(
      `${file} registers no function: it must call app.* of @azure/functions 4 when it is loaded.`,
    );
  if ('HttpUri' in (await model.getCapabilities({})))
    throw new Error(`${file} asks for HTTP streams (enableHttpStream), which this host does not emulate.`);
  return { file, functions, hooks, model };
}
