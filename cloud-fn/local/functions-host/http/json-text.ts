/** A body as JSON text; null when there is none, undefined when it is not JSON. */
export function jsonText(body: Buffer): string | null | undefined {
  if (body.length === 0) return null;
  try {
    const text = body.toString('utf8');
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}
