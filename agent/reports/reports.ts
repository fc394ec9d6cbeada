import type { TwinReported } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import type { RecordingLimit, RefusedRecordings, StorageState } from '../health/health.ts';
import type { LinkStatus } from '../hub/hub.ts';
import type { Clock } from '../kernel/clock.ts';
import { ifAnswers } from '../kernel/if-answers.ts';
import type { Log } from '../kernel/log.ts';
import type { Service } from '../kernel/services/lifecycle.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import type { Ledger, LedgerSummary } from '../ledger/ledger.ts';
import type { PowerStatus } from '../power/power.ts';
import { createChanges } from './changes.ts';
import { backlogOf, type Observed, twinOf } from './document.ts';
import { REPORTS } from './pace.ts';
import { createSteady } from './steady.ts';
import { createStorageLook } from './storage-look.ts';
import { createSubjects } from './subjects.ts';
import { createTeller, tellable } from './teller.ts';

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
  readonly recordingLimit: Pick<RecordingLimit, 'look'>;
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
  const teller = createTeller({ ledger, clock, log });
  const subjects = createSubjects({ clock, teller });
  const settingsChanged = createChanges();
  const standingChanged = createChanges();
  /** Null while the ledger does not answer: that is told as a condition, and stops nothing else. */
  const summary = (): LedgerSummary | null => ifAnswers(() => ledger.summary());
  const storage = createStorageLook({ ...deps, summary });
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let reportAtMs = Number.NEGATIVE_INFINITY;
  let heartbeatAtMs = Number.POSITIVE_INFINITY;

  const reportSoon = (told: boolean, withinMs: number = REPORTS.reportSoonMs) => {
    if (told) reportAtMs = Math.min(reportAtMs, clock.monotonicMs() + withinMs);
  };

  function look(): void {
    const nowMs = clock.monotonicMs();
    const cameras = deps.cameras();
    reportSoon(subjects.cameras.look(cameras));
    const link = deps.link();
    // Between two states, and no news itself.
    if (link.state !== 'connecting') subjects.link.look(link.state, { ...link, state: link.state });
    const power = deps.power();
    reportSoon(subjects.power.look(powerKey(power), power));
    const room = storage.look();
    if (room) reportSoon(subjects.storage.look(room.state, room));
    subjects.suppressed.look(cameras);
    lookAtRefusedRecordings(cameras);
    deps.recordingLimit.look(cameras);
    lookAtConditions();

    const facts = deps.facts();
    reportSoon(subjects.machine.look(JSON.stringify([facts?.throttled, facts?.clock]), null));
    const { recording, cameras: watched } = deps.settings();
    const { version, refused } = deps.desired();
    reportSoon(settingsChanged([recording, watched, version, refused]));
    if (nowMs >= heartbeatAtMs && tellHeartbeat(cameras, facts)) heartbeatAtMs = nowMs + REPORTS.heartbeatMs;
    if (nowMs < reportAtMs) return;
    reportAtMs = nowMs + REPORTS.reportMs;
    deps.report(reported());
  }

  function lookAtRefusedRecordings(cameras: readonly CameraStatus[]): void {
    deps.refusedRecordings.look(cameras);
    deps.refusedRecordings.report((data) =>
      teller.tell('recording.refused', { ...data, reason: tellable(data.reason) }),
    );
  }

  /** When other conditions stand, the twin is brought up to date. */
  function lookAtConditions(): void {
    const conditions = deps.conditions();
    subjects.conditions.look(conditions);
    reportSoon(standingChanged(conditions.map(({ code, subject }) => `${code} ${subject}`)));
  }

  function tellHeartbeat(cameras: readonly CameraStatus[], facts: Observed['facts']): boolean {
    const known = summary();
    if (known === null) return false;
    return teller.tell('heartbeat', {
      backlog: backlogOf(known),
      ...(facts === null ? {} : { health: facts }),
      camerasLive: cameras.filter(({ state }) => state === 'live').length,
      cameras: cameras.length,
    });
  }

  const reported = (): TwinReported => twinOf(observedBy(deps, summary()), steady);

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      teller.attempt('look', look);
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
      subjects.suppressed.flush();
    },
    powerChanged(status) {
      const always = status.state === 'critical' || status.shutdown !== null;
      reportSoon(subjects.power.now(powerKey(status), status, always), 0);
    },
    reported,
    storage: () => storage.state(),
  };
}

const powerKey = ({ state, shutdown }: PowerStatus) => `${state} ${shutdown}`;

const observedBy = (deps: ReportsDeps, summary: LedgerSummary | null): Observed => ({
  cameras: deps.cameras(),
  power: deps.power(),
  summary,
  disk: deps.disk(),
  clipBytesMax: deps.clipBytesMax,
  facts: deps.facts(),
  versions: deps.versions(),
  settings: deps.settings(),
  desired: deps.desired(),
  conditions: deps.conditions(),
});
