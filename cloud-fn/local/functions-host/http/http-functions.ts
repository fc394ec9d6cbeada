import { textOf, type HostedFunction } from '../triggers/bindings.ts';
import type { RpcData } from '../core-api.ts';
import { problem, type Handler, type HostRequest, type HostResponse } from './http-server.ts';
import type { Invoke } from '../triggers/invoke.ts';
import { isOneOf, type HostKeys } from './keys.ts';
import { parseRoute, type Route } from './route.ts';

export interface HttpFunctionsDeps {
  readonly functions: readonly HostedFunction[];
  readonly keys: HostKeys;
  readonly invoke: Invoke;
  /** `extensions.http.routePrefix` of host.json, without slashes. */
  readonly routePrefix: string;
}

interface HttpFunction {
  readonly target: HostedFunction;
  readonly route: Route;
  readonly methods: readonly string[];
  readonly authLevel: string;
}

/** The app's HTTP triggers, with their routes and keys as in Azure: the key comes as `code` or
 *  `x-functions-key`. Only the answer to a wrong method differs: 405 instead of 404. */
export function createHttpFunctions({ functions, keys, invoke, routePrefix }: HttpFunctionsDeps): Handler {
  const prefix = routePrefix === '' ? '' : `/${routePrefix}`;
  const all: HttpFunction[] = functions.map((target) => ({
    target,
    route: parseRoute(`${prefix}/${textOf(target.trigger, 'route') ?? target.name}`),
    methods: ((target.trigger['methods'] ?? ['GET', 'POST']) as string[]).map((one) => one.toUpperCase()),
    authLevel: (textOf(target.trigger, 'authLevel') ?? 'anonymous').toLowerCase(),
  }));
  // A literal segment wins against a parameter, whatever the order of registration.
  all.sort((one, other) => other.route.weight - one.route.weight);

  const allowed = (one: HttpFunction, request: HostRequest) => {
    if (one.authLevel === 'anonymous') return true;
    const given = request.url.searchParams.get('code') ?? request.headers['x-functions-key'];
    const accepted = one.authLevel === 'admin' ? [keys.master] : [keys.master, keys.function];
    return isOneOf(String(given ?? ''), accepted);
  };

  return async (request) => {
    const fitting = all.flatMap((one) => {
      const params = one.route.match(request.url.pathname);
      return params === undefined ? [] : [{ one, params }];
    });
    if (fitting.length === 0) return undefined;
    const found = fitting.find(({ one }) => one.methods.includes(request.method));
    if (found === undefined) {
      const methods = [...new Set(fitting.flatMap(({ one }) => one.methods))].join(', ');
      return { ...problem(405, `Use one of ${methods}.`), headers: { allow: methods } };
    }
    if (!allowed(found.one, request)) return { status: 401 };
    try {
      const answer = await invoke(found.one.target, {
        data: { http: rpcRequest(request, found.params) },
      });
      return responseOf(answer);
    } catch {
      // The invocation has been logged with its error; the caller learns no more than on Azure.
      return { status: 500 };
    }
  };
}

function rpcRequest(request: HostRequest, params: Readonly<Record<string, string>>) {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return { method: request.method, url: request.url.href, headers, params, body: { bytes: request.body } };
}

interface RpcCookie {
  readonly name: string;
  readonly value: string;
}

function responseOf(answer: RpcData | undefined): HostResponse {
  if (answer?.http === undefined) return { status: 204 };
  const { statusCode, headers, cookies, body } = answer.http as {
    statusCode: string;
    headers?: Record<string, string>;
    cookies?: readonly RpcCookie[];
    body?: RpcData;
  };
  const setCookie = (cookies ?? []).map(({ name, value }) => `${name}=${encodeURIComponent(value)}`);
  return {
    status: Number(statusCode),
    headers: { ...headers, ...(setCookie.length > 0 ? { 'set-cookie': setCookie } : {}) },
    ...(body?.bytes ? { body: body.bytes } : {}),
  };
}
