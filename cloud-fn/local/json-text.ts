/** Deeper values end the stack of whoever writes them out again: one such input would break every listing it is in. */
const DEPTH_MAX = 1_000;

/** A body as JSON text; null when there is none, undefined when it is not JSON or nested too deep to be kept. */
export function jsonText(body: Buffer): string | null | undefined {
  if (body.length === 0) return null;
  try {
    const text = body.toString('utf8');
    JSON.parse(text);
    return depthOf(text) > DEPTH_MAX ? undefined : text;
  } catch {
    return undefined;
  }
}

/** One sentence about a body of which `jsonText` makes nothing. */
export const whyNotJson = (body: Buffer): string =>
  depthOf(body.toString('utf8')) > DEPTH_MAX
    ? `The body is nested deeper than ${DEPTH_MAX} levels.`
    : 'The body is not JSON.';

/** How many brackets are open at once, outside texts. */
function depthOf(json: string): number {
  let depth = 0;
  let most = 0;
  for (const [bracket] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/gs)) {
    if (bracket === '[' || bracket === '{') most = Math.max(most, (depth += 1));
    else if (bracket === ']' || bracket === '}') depth -= 1;
  }
  return most;
}
