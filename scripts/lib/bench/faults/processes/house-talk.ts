/** The harness's talk with the house: what it is told, and what it has said of itself. */
import { within } from '../wait.ts';
import type { ClipNow, HouseOrder, HouseReport } from './house.ts';
import type { Victim } from './victim.ts';

const TELL_MS = 15_000;
const ENDED_MS = 5_000;

export interface HouseTalk {
  /** It moves before a camera from now on; whether it still does, `isStill` says. */
  move(cameraId: string, seconds: number): void;
  killRecorder(cameraId: string): void;
  /** Nothing moves any more, or the house is down. */
  isStill(): boolean;
  /** What moves is not waited for any more. */
  forgetMoves(): void;
  /** Ends the recorders, which may outlive their house. */
  endRecorders(): Promise<void>;
  /** What it says of these clips and of all that are not at their end; undefined when it does not answer. */
  ask(clipIds: readonly string[]): Promise<{ clips: readonly ClipNow[]; recording: boolean } | undefined>;
  /** Why it did not answer: its ledger cannot be used, or the end of its log. */
  whyNot(): string;
}

export interface HouseTalkDeps {
  readonly house: Pick<Victim, 'send' | 'alive' | 'words'>;
  readonly onHouse: (listener: (message: unknown) => void) => void;
}

export function createHouseTalk({ house, onHouse }: HouseTalkDeps): HouseTalk {
  const order = (one: HouseOrder) => house.send(one);
  const moving = new Set<string>();
  const recorders = new Set<number>();
  let told: Extract<HouseReport, { clips: unknown } | { closed: string }> | undefined;
  let closed: string | null = null;
  onHouse((message) => {
    const report = message as HouseReport;
    if ('still' in report) moving.delete(report.still);
    if ('recorder' in report) recorders.add(report.recorder);
    if ('clips' in report || 'closed' in report) told = report;
  });

  return {
    move(cameraId, seconds) {
      moving.add(cameraId);
      order({ do: 'move', cameraId, seconds });
    },
    killRecorder: (cameraId) => order({ do: 'kill recorder', cameraId }),
    isStill: () => moving.size === 0 || !house.alive(),
    forgetMoves: () => moving.clear(),
    async endRecorders() {
      for (const pid of recorders) await endProcess(pid);
      recorders.clear();
    },
    async ask(clipIds) {
      told = undefined;
      order({ do: 'tell', clipIds });
      const answer = await within(TELL_MS, () => (house.alive() ? told : null) ?? undefined, 10);
      closed = answer && 'closed' in answer ? answer.closed : null;
      return answer && 'clips' in answer ? answer : undefined;
    },
    whyNot: () => closed ?? house.words().slice(-300),
  };
}

async function endProcess(pid: number): Promise<void> {
  const gone = () => {
    try {
      process.kill(pid, 'SIGKILL');
      return undefined;
    } catch {
      // There is no such process.
      return true;
    }
  };
  await within(ENDED_MS, gone, 5);
}
