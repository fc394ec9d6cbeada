/** One thing that was looked at. notice: it works without; trouble: scripts/run does not start until it is mended. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'notice' | 'trouble';
  /** What was found, one line. */
  readonly found: string;
  /** What mends it, or does more with it: a command, or a sentence. */
  readonly fix: string | null;
}

export const ok = (name: string, found: string, fix: string | null = null): Check => ({
  ...{ name, state: 'ok', found, fix },
});
export const notice = (name: string, found: string, fix: string | null): Check => ({
  ...{ name, state: 'notice', found, fix },
});
export const trouble = (name: string, found: string, fix: string): Check => ({
  ...{ name, state: 'trouble', found, fix },
});
