import df from 'durable-functions';

const tries = new Map<string, number>();
/** Instances whose slow activity has begun in this process. */
export const slowBegun = new Set<string>();

df.app.activity('say', { handler: (input: unknown) => input });
df.app.activity('nothing', { handler: () => undefined });
df.app.activity('describe', {
  handler: (input: unknown) => ({ type: typeof input, isNull: input === null, value: input ?? 'none' }),
});
df.app.activity('slow', {
  handler: async ({ ms, value }: { ms: number; value: unknown }, context) => {
    slowBegun.add(String(context.triggerMetadata?.['instanceId']));
    await new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20_000)));
    return value;
  },
});
df.app.activity('fail', {
  handler: (message: string) => {
    throw new Error(message);
  },
});
df.app.activity('fail-with-cause', {
  handler: (message: string) => {
    throw new TypeError(message, { cause: new Error('the cause') });
  },
});
df.app.activity('throw-text', {
  handler: (text: string) => {
    // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- what is thrown is not an Error: that is the scenario
    throw text;
  },
});
/** Fails as often as it is told to, then succeeds. */
df.app.activity('fail-times', {
  handler: ({ key, times }: { key: string; times: number }) => {
    const before = tries.get(key) ?? 0;
    tries.set(key, before + 1);
    if (before < times) throw new Error(`not yet, ${before + 1}`);
    return `after ${before}`;
  },
});
df.app.activity('make-large', { handler: (length: number) => 'x'.repeat(length) });
df.app.activity('context', {
  handler: (_input: unknown, context) => ({
    name: context.functionName,
    metadata: Object.entries(context.triggerMetadata ?? {}).map(([key, value]) => [key, typeof value]),
    retry: context.retryContext ?? 'none',
  }),
});

df.app.activity('append', {
  handler: ({ text, step }: { text: string; step: string }) => `${text} ${step}`.trim(),
});
df.app.activity('list-files', {
  handler: (count: number) => Array.from({ length: count }, (_, n) => `file-${n}`),
});
df.app.activity('copy-file', { handler: (file: string) => file.length });
/** Becomes clear at the look after so many. A word, because the real engine makes texts of what is only true or false. */
df.app.activity('is-clear', {
  handler: ({ key, after }: { key: string; after: number }) => {
    const before = tries.get(`clear ${key}`) ?? 0;
    tries.set(`clear ${key}`, before + 1);
    return before < after ? 'no' : 'yes';
  },
});
