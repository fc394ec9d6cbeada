import type { TelemetryData } from '@dachawatch/contracts';
import type { LinkStatus } from '../hub/hub.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PowerStatus } from '../power/power.ts';
import { type CameraReport, createCameraReport } from './cameras.ts';
import { type ConditionReport, createConditionReport } from './conditions.ts';
import { powerOf } from './document.ts';
import { createNews, type News } from './news.ts';
import { REPORTS } from './pace.ts';
import { createSuppressedReport, type SuppressedReport } from './suppressed.ts';
import { detailOf, type Teller } from './teller.ts';

type ToldLink = LinkStatus & { readonly state: 'online' | 'offline' | 'refused' };

/** What events are about, each with its own pace. */
export interface Subjects {
  readonly cameras: CameraReport;
  readonly conditions: ConditionReport;
  readonly link: News<ToldLink>;
  readonly power: News<PowerStatus>;
  readonly storage: News<TelemetryData<'storage.state'>>;
  /** Nothing is told of this, but the twin is brought up to date. */
  readonly machine: News<null>;
  readonly suppressed: SuppressedReport;
}

export function createSubjects({
  clock,
  teller,
}: {
  readonly clock: Clock;
  readonly teller: Pick<Teller, 'tell'>;
}): Subjects {
  const { settleMs, conditionSettleMs, perHour, powerPerHour } = REPORTS;
  const pace = { clock, settleMs, perHour };
  return {
    cameras: createCameraReport({
      ...pace,
      tell: (data) => teller.tell('camera.state', data),
      detail: detailOf,
    }),
    conditions: createConditionReport({
      ...pace,
      settleMs: conditionSettleMs,
      tell: (data) => teller.tell('condition.state', data),
      detail: detailOf,
    }),
    link: createNews({
      ...pace,
      tell: ({ state, detail }) => teller.tell('link.state', { state, ...detailOf(detail) }),
    }),
    power: createNews({
      ...pace,
      perHour: powerPerHour,
      tell: (status) => teller.tell('power.state', powerOf(status)),
    }),
    storage: createNews({ ...pace, tell: (data) => teller.tell('storage.state', data) }),
    machine: createNews({ ...pace, tell: () => true }),
    suppressed: createSuppressedReport({
      clock,
      tell: (data) => teller.tell('trigger.suppressed', data),
    }),
  };
}
