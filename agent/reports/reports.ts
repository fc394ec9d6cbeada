import type { TelemetryData, TelemetryEvent, TwinReported } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import type { LinkStatus } from '../hub/hub.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import { ifAnswers } from '../kernel/if-answers.ts';
import type { Service } from '../kernel/services/lifecycle.ts';
import { type Log, redact } from '../kernel/log.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import type { Ledger, LedgerSummary } from '../ledger/ledger.ts';
import type { PowerStatus } from '../power/power.ts';
import { createStorageJudge, type RefusedRecordings, type StorageState } from '../health/health.ts';
import { createCameraReport } from './cameras.ts';
import { createConditionReport } from './conditions.ts';
import { backlogOf, type Observed, powerOf, storageOf, twinOf } from './document.ts';
import { shorten } from './fit.ts';
import { createNews, type News } from './news.ts';
import { createSteady } from './steady.ts';
import { createSuppressedReport } from './suppressed.ts';

/** How often and how much. Tests count with them; nobody changes them at run time. */
export const REPORTS = {
  lookMs: 1_000,
  /** A state that does not hold so long is not told. */
  settleMs: 10_000,
  /** A condition is told sooner: it has no trembling in it. */
  conditionSettleMs: 2_000,
  /** Most events about one camera, the link or storage in any hour. */
  perHour: 12,
  /** Power is told at once; switching off and a critical battery always. */
  powerPerHour: 60,
  storageMs: 10_000,
  /** Changes that come together make one report. */
  reportSoonMs: 2_000,
  reportMs: 15 * 60_000,
  firstHeartbeatMs: 60_000,
  heartbeatMs: 15 * 60_000,
  /** After an event could not be stored. */
  pauseMs: 30_000,
} as const;

/** What the appliance says of itself: events into the ledger's outbox, and the document of the twin. */
export interface Reports extends Service {
  /** The battery or mains changed: told at once. Does not throw when it cannot be stored; it is told later then. */
  powerChanged(status: PowerStatus): void;
  /** The twin's document as it is now: rounded, without secrets, and small enough for the twin. */
  reported(): TwinReported;
  /** How much room there is for evidence; null when the disk cannot be read, or was not looked at yet. */
  storage(): StorageState | null;
}

export interface ReportsDeps {
  readonly cameras: () => readonly CameraStatus[];
  readonly link: () => LinkStatus;
  readonly power: () => PowerStatus;
  readonly ledger: Pick<Ledger, 'tell' | 'summary'>;
  readonly disk: () => Observed['disk'];
  readonly facts: () => Observed['facts'];
  readonly versions: () => Observed['versions'];
  /** In effect now: as configured, changed by the twin. */
  readonly settings: () => Observed['settings'];
  readonly desired: () => Observed['desired'];
  readonly conditions: () => Observed['conditions'];
  readonly refusedRecordings: Pick<RefusedRecordings, 'look' | 'report'>;
  /** The byte budget of clips. */
  readonly clipBytesMax: number;
  /** Hands the document to the hub link, which sends only what differs. */
  readonly report: (reported: TwinReported) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Invariants
 *  1. A change is told once it has held, and only so often an hour; the last state is always told in the end.
 *  2. What cannot be stored is told later; it never stops a look, and is logged once.
 *  3. The twin's document is handed over soon after something was told, and every quarter of an hour. */
export function createReports(deps: ReportsDeps): Reports {
  const { ledger, clock, log } = deps;
  const steady = createSteady();
  const storageJudge = createStorageJudge();
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** Code of the failure that was logged last; none while all is well. */
  const failing = new Map<string, string>();
  let desiredNow: readonly unknown[] = [];
  let desiredText = '';
  let reportAtMs = Number.NEGATIVE_INFINITY;
  let heartbeatAtMs = Number.POSITIVE_INFINITY;

  /** @returns what went wrong; undefined when all is well */
  function attempt(what: 'look' | 'store', work: () => void): Failure | undefined {
    try {
      work();
      failing.delete(what);
      return undefined;
    } catch (error) {
      if (!(error instanceof Failure) || error.kind === 'bug') throw error;
      if (failing.get(what) !== error.code)
        log.error({ event: `reports.${what}-failed`, code: error.code }, error.message);
      failing.set(what, error.code);
      return error;
    }
  }

  /** Null while the ledger does not answer: that is told as a condition, and stops nothing else. */
  const summaryNow = (): LedgerSummary | null => ifAnswers(() => ledger.summary());

  /** @returns false when it could not be stored now */
  function tell<E extends TelemetryEvent>(event: E, data: TelemetryData<E>): boolean {
    if (clock.monotonicMs() < pausedUntilMs) return false;
    const failure = attempt('store', () => ledger.tell(event, data));
    if (failure === undefined) return true;
    // The same bytes will never be taken.
    if (failure.kind === 'rejected') return true;
    pausedUntilMs = clock.monotonicMs() + REPORTS.pauseMs;
    return false;
  }

  const newsOf = <S>(perHour: number, tell: (state: S) => boolean): News<S> =>
    createNews({ clock, settleMs: REPORTS.settleMs, perHour, tell });
  const detailOf = (detail: string | null) =>
    detail === null ? {} : { detail: shorten(redact(detail), 1_000) };

  const cameraNews = createCameraReport({
    clock,
    settleMs: REPORTS.settleMs,
    perHour: REPORTS.perHour,
    tell: (data) => tell('camera.state', data),
    detail: detailOf,
  });
  const conditionNews = createConditionReport({
    clock,
    settleMs: REPORTS.conditionSettleMs,
    perHour: REPORTS.perHour,
    tell: (data) => tell('condition.state', data),
    detail: detailOf,
  });
  /** Conditions that stand: when that changes, the twin is brought up to date. */
  let standing = '';
  const linkNews = newsOf<LinkStatus & { state: 'online' | 'offline' | 'refused' }>(
    REPORTS.perHour,
    ({ state, detail }) => tell('link.state', { state, ...detailOf(detail) }),
  );
  const powerNews = newsOf<PowerStatus>(REPORTS.powerPerHour, (status) =>
    tell('power.state', powerOf(status)),
  );
  const storageNews = newsOf<TelemetryData<'storage.state'>>(REPORTS.perHour, (data) =>
    tell('storage.state', data),
  );
  /** Nothing is told of this, but the twin is brought up to date. */
  const machineNews = newsOf<null>(REPORTS.perHour, () => true);
  const suppressed = createSuppressedReport({ clock, tell: (data) => tell('trigger.suppressed', data) });

  let storage: TelemetryData<'storage.state'> | undefined;
  let storageAtMs = Number.NEGATIVE_INFINITY;

  const reportSoon = (told: boolean, withinMs: number = REPORTS.reportSoonMs) => {
    if (told) reportAtMs = Math.min(reportAtMs, clock.monotonicMs() + withinMs);
  };

  function lookAtStorage(): void {
    if (clock.monotonicMs() - storageAtMs >= REPORTS.storageMs) {
      storageAtMs = clock.monotonicMs();
      const disk = deps.disk();
      const summary = summaryNow();
      // Both 0: the disk could not be read.
      storage =
        disk.diskTotalBytes === 0 || summary === null
          ? undefined
          : {
              state: storageJudge({ ...disk, summary, clipBytesMax: deps.clipBytesMax }),
              ...storageOf({ summary, disk, clipBytesMax: deps.clipBytesMax }),
            };
    }
    if (storage) reportSoon(storageNews.look(storage.state, storage));
  }

  /** Settings and refusals are long: they are only compared when they are other objects than before. */
  function desiredChanged(): boolean {
    const { recording, cameras } = deps.settings();
    const { version, refused } = deps.desired();
    const now = [recording, cameras, version, refused];
    if (now.every((value, index) => value === desiredNow[index])) return false;
    desiredNow = now;
    const text = JSON.stringify(now);
    const changed = text !== desiredText;
    desiredText = text;
    return changed;
  }

  const powerKey = ({ state, shutdown }: PowerStatus) => `${state} ${shutdown}`;

  function look(): void {
    const nowMs = clock.monotonicMs();
    const cameras = deps.cameras();
    reportSoon(cameraNews.look(cameras));
    const link = deps.link();
    // Between two states, and no news itself.
    if (link.state !== 'connecting') linkNews.look(link.state, { ...link, state: link.state });
    const power = deps.power();
    reportSoon(powerNews.look(powerKey(power), power));
    lookAtStorage();
    suppressed.look(cameras);
    deps.refusedRecordings.look(cameras);
    deps.refusedRecordings.report((data) =>
      tell('recording.refused', { ...data, reason: shorten(redact(data.reason), 1_000) }),
    );
    lookAtConditions();

    const facts = deps.facts();
    reportSoon(machineNews.look(JSON.stringify([facts?.throttled, facts?.clock]), null));
    reportSoon(desiredChanged());
    if (nowMs >= heartbeatAtMs && tellHeartbeat(cameras, facts)) heartbeatAtMs = nowMs + REPORTS.heartbeatMs;
    if (nowMs < reportAtMs) return;
    reportAtMs = nowMs + REPORTS.reportMs;
    deps.report(reported());
  }

  function lookAtConditions(): void {
    const conditions = deps.conditions();
    conditionNews.look(conditions);
    const now = conditions.map(({ code, subject }) => `${code} ${subject}`).join();
    reportSoon(now !== standing);
    standing = now;
  }

  function tellHeartbeat(cameras: readonly CameraStatus[], facts: Observed['facts']): boolean {
    const summary = summaryNow();
    if (summary === null) return false;
    return tell('heartbeat', {
      backlog: backlogOf(summary),
      ...(facts === null ? {} : { health: facts }),
      camerasLive: cameras.filter(({ state }) => state === 'live').length,
      cameras: cameras.length,
    });
  }

  function reported(): TwinReported {
    return twinOf(
      {
        cameras: deps.cameras(),
        power: deps.power(),
        summary: summaryNow(),
        disk: deps.disk(),
        clipBytesMax: deps.clipBytesMax,
        facts: deps.facts(),
        versions: deps.versions(),
        settings: deps.settings(),
        desired: deps.desired(),
        conditions: deps.conditions(),
      },
      steady,
    );
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      attempt('look', look);
      await sleepUnlessAborted(clock, REPORTS.lookMs, signal);
    }
  }

  return {
    name: 'reports',
    start: async () => {
      heartbeatAtMs = clock.monotonicMs() + REPORTS.firstHeartbeatMs;
      running = run(stopping.signal);
    },
    stop: async () => {
      stopping.abort();
      await running;
      suppressed.flush();
    },
    powerChanged(status) {
      const always = status.state === 'critical' || status.shutdown !== null;
      reportSoon(powerNews.now(powerKey(status), status, always), 0);
    },
    reported,
    storage: () => storage?.state ?? null,
  };
}
