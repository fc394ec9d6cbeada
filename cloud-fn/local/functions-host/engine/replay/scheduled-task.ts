/** What an orchestrator has scheduled, before it has a number. */
export type NewTask =
  | { readonly kind: 'activity'; readonly name: string; readonly input: unknown }
  | {
      readonly kind: 'sub-orchestration';
      readonly name: string;
      readonly input: unknown;
      readonly instanceId: string | undefined;
      readonly version: string | undefined;
    }
  | { readonly kind: 'timer'; readonly fireAtMs: number; readonly cancelled: boolean };

/** The same under the number both sides know it by. */
export type ScheduledTask = NewTask & { readonly id: number };
