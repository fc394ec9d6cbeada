import { textOf, type HostedFunction } from '../triggers/bindings.ts';
import type { RpcData } from '../core-api.ts';
import type { Handler, HostRequest, HostResponse } from './http-server.ts';
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

/** The app's HTTP triggers, with their routes and keys as in Azure: the key comes as `x-functions-key` or `code`. */
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
    const given = request.headers['x-functions-key'] ?? request.url.searchParams.get('code');
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
    if (found === undefined) return { status: 404 };
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
  readonly domain?: { readonly value?: string };
  readonly path?: { readonly value?: string };
  readonly expires?: { readonly value?: { readonly seconds?: number } };
  readonly maxAge?: { readonly value?: number };
  readonly secure?: { readonly value?: boolean };
  readonly httpOnly?: { readonly value?: boolean };
  readonly sameSite?: string;
}

/** In the order of the real host's own server. */
function cookieText(cookie: RpcCookie): string {
  const { name, value, domain, path, expires, maxAge, secure, httpOnly, sameSite } = cookie;
  const seconds = expires?.value?.seconds;
  // "none" says that the app gave none.
  const site = sameSite === 'none' ? undefined : sameSite === 'explicitNone' ? 'none' : sameSite;
  return [
    `${name}=${encodeURIComponent(value)}`,
    ...(seconds === undefined ? [] : [`expires=${new Date(seconds * 1000).toUTCString()}`]),
    ...(maxAge?.value === undefined ? [] : [`max-age=${maxAge.value}`]),
    ...(domain?.value === undefined ? [] : [`domain=${domain.value}`]),
    `path=${path?.value ?? '/'}`,
    ...(secure?.value === true ? ['secure'] : []),
    ...(site === undefined ? [] : [`samesite=${site}`]),
    ...(httpOnly?.value === true ? ['httponly'] : []),
  ].join('; ');
}

function responseOf(answer: RpcData | undefined): HostResponse {
  if (answer?.http === undefined) return { status: 204 };
  const { statusCode, headers, cookies, body } = answer.http as {
    statusCode: string;
    headers?: Record<string, string>;
    cookies?: readonly RpcCookie[];
    body?: RpcData;
  };
  const setCookie = (cookies ?? []).map(cookieText);
  return {
    status: Number(statusCode),
    headers: { ...headers, ...(setCookie.length > 0 ? { 'set-cookie': setCookie } : {}) },
    ...(body?.bytes ? { body: body.bytes } : {}),
  };
}
