import { createHmac, timingSafeEqual } from 'node:crypto';
import { decodePercent } from './percent.ts';

const PREFIX = 'SharedAccessSignature ';

export interface SasToken {
  /** As it stands in the token, still encoded: this is what is signed. */
  readonly encodedResource: string;
  readonly resource: string;
  readonly signature: string;
  readonly expiresMs: number;
  readonly policy: string | null;
}

/** Undefined when it is not a token at all. */
export function parseSas(text: string): SasToken | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const fields = new Map(
    text
      .slice(PREFIX.length)
      .split('&')
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const),
  );
  const [sr, sig, se] = [fields.get('sr'), fields.get('sig'), fields.get('se')];
  if (!sr || !sig || !se || !/^\d{1,12}$/.test(se)) return undefined;
  const [resource, signature] = [decodePercent(sr), decodePercent(sig)];
  if (resource === undefined || signature === undefined) return undefined;
  return {
    encodedResource: sr,
    resource: resource.toLowerCase(),
    signature,
    expiresMs: Number(se) * 1000,
    policy: fields.get('skn') || null,
  };
}

export type SasVerdict = { readonly token: SasToken } | { readonly refused: string };

/** Checks form, expiry, resource and signature.
 *  @param keys base64; one that fits is enough
 *  @param resources what the caller wants to reach, under any of the hub's names; the token's resource must be
 *  one of them or a parent of one */
export function checkSas(
  text: string,
  { keys, resources, nowMs }: { keys: readonly string[]; resources: readonly string[]; nowMs: number },
): SasVerdict {
  const token = parseSas(text);
  if (!token) return { refused: 'not a shared access signature' };
  if (token.expiresMs <= nowMs) return { refused: 'the token has expired' };
  const covers = (resource: string) =>
    resource === token.resource || resource.startsWith(`${token.resource}/`);
  if (!resources.some((resource) => covers(resource.toLowerCase())))
    return { refused: 'the token is for another resource' };
  const signed = `${token.encodedResource}\n${token.expiresMs / 1000}`;
  const given = Buffer.from(token.signature, 'base64');
  const fits = keys.some((key) => {
    const expected = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest();
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  return fits ? { token } : { refused: 'the signature is wrong' };
}

/** For tests and tools that talk to the hub without an SDK. */
export function makeSas(resource: string, key: string, expiresMs: number, policy?: string): string {
  const sr = encodeURIComponent(resource);
  const se = Math.floor(expiresMs / 1000);
  const sig = createHmac('sha256', Buffer.from(key, 'base64')).update(`${sr}\n${se}`).digest('base64');
  const skn = policy ? `&skn=${encodeURIComponent(policy)}` : '';
  return `${PREFIX}sr=${sr}&sig=${encodeURIComponent(sig)}&se=${se}${skn}`;
}
