/** Percent-decoded text; undefined when a percent sign stands alone. */
export function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
