import { CONDITIONS } from '@dachawatch/contracts';
import { type CameraStatus, isWithoutPicture } from '../capture/capture.ts';
import type { LinkStatus } from '../hub/hub.ts';
import type { Condition } from '../kernel/conditions.ts';
import type { PowerStatus } from '../power/power.ts';

export interface StatusFacts {
  readonly cameras: readonly Pick<CameraStatus, 'cameraId' | 'state' | 'recording'>[];
  /** Clips that wait for upload; null while the ledger does not answer. */
  readonly waiting: number | null;
  readonly power: Pick<PowerStatus, 'state' | 'minutesLeft' | 'shutdown'> | null;
  readonly link: Pick<LinkStatus, 'state'>;
  /** What is wrong now, the worst first. */
  readonly conditions: readonly Pick<Condition, 'code' | 'subject'>[];
}

const namesOf = (cameras: StatusFacts['cameras']) => cameras.map(({ cameraId }) => cameraId).join(', ');
const count = (n: number, one: string, many: string) => `${n === 0 ? 'no' : n} ${n === 1 ? one : many}`;

const POWER = {
  unknown: null,
  'on-mains': 'on mains',
  'on-battery': 'on battery',
  low: 'battery low',
  critical: 'battery nearly empty',
} as const;

/** `systemctl status` has one line. */
const CONDITIONS_SHOWN = 2;
const conditionText = ({ code, subject }: Pick<Condition, 'code' | 'subject'>) =>
  `WRONG: ${CONDITIONS[code].about}${subject === null ? '' : ` (${subject})`}`;

/** What `systemctl status` says: "2 cameras watch, 3 clips wait, on mains, online". */
export function statusSentence({ cameras, waiting, power, link, conditions }: StatusFacts): string {
  const down = cameras.filter(({ state }) => isWithoutPicture(state));
  const blind = cameras.filter(({ state }) => state === 'blind');
  const starting = cameras.filter(({ state }) => state === 'starting').length;
  const recording = cameras.filter((camera) => camera.recording).length;
  const live = cameras.length - down.length - blind.length - starting;
  const onBattery = power !== null && power.state !== 'unknown' && power.state !== 'on-mains';
  const minutes = onBattery && power.minutesLeft !== null ? ` (about ${power.minutesLeft} min left)` : '';
  const parts = [
    power?.shutdown ? 'switching off' : null,
    live === 0 ? 'no camera watches' : count(live, 'camera watches', 'cameras watch'),
    down.length > 0 ? `no picture from ${namesOf(down)}` : null,
    blind.length > 0 ? `the scene is hidden from ${namesOf(blind)}` : null,
    starting > 0 ? count(starting, 'camera starts', 'cameras start') : null,
    recording > 0 ? count(recording, 'records', 'record') : null,
    waiting === null ? null : count(waiting, 'clip waits', 'clips wait'),
    power && POWER[power.state] ? `${POWER[power.state]}${minutes}` : null,
    link.state === 'refused' ? 'refused by the hub' : link.state,
    ...conditions.slice(0, CONDITIONS_SHOWN).map(conditionText),
    conditions.length > CONDITIONS_SHOWN ? `${conditions.length - CONDITIONS_SHOWN} more` : null,
  ];
  return parts.filter((part) => part !== null).join(', ');
}
