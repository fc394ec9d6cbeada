import { Type, type Static } from 'typebox';
import { IsoTime, OneOf } from '../schema-types.ts';

/** How much a condition matters. notice: it passes by itself, or watch it · trouble: somebody must act */
export const CONDITION_LEVELS = ['notice', 'trouble'] as const;
export type ConditionLevel = (typeof CONDITION_LEVELS)[number];

/** What can be wrong with the appliance itself. A camera, the link, power and settings have states of their own. */
export const CONDITIONS = {
  'ledger-unavailable': {
    level: 'trouble',
    about: 'the ledger cannot be opened: clips are kept as files, nothing is uploaded',
  },
  'ledger-mended': { level: 'notice', about: 'the ledger was damaged; SQLite could mend it' },
  'ledger-rebuilt': {
    level: 'notice',
    about: 'the ledger was damaged; it was set aside and begun anew from backup and clip files',
  },
  'disk-unwritable': { level: 'trouble', about: 'the disk cannot be written: nothing can be recorded' },
  'disk-reserve': { level: 'trouble', about: 'the reserve that pays for making room is not there' },
  'clips-missing': { level: 'trouble', about: 'many clip files are not there: a disk is not mounted?' },
  'clips-lost': {
    level: 'trouble',
    about: 'clips that were never uploaded are lost, or their files are not what was recorded',
  },
  'clips-asked-for': {
    level: 'notice',
    about: 'files of clips are gone or damaged; storage is asked before they are called lost',
  },
  'clips-aside': { level: 'trouble', about: 'files of clips are kept aside and could not be put back' },
  'clip-unremovable': { level: 'notice', about: 'files that may go cannot be removed' },
  'clip-unsealed': { level: 'notice', about: 'clips wait for room, or for a repair, to be sealed' },
  'recording-refused': { level: 'trouble', about: 'a camera sees something move, but nothing is recorded' },
  'recording-limit': {
    level: 'trouble',
    about: 'a camera has recorded as much as it may within 24 hours; its movements are only noted',
  },
  'quarantine-full': { level: 'notice', about: 'files set aside were removed to keep their bound' },
  'message-refused': { level: 'notice', about: 'cloud messages could not be read and are kept aside' },
  'clips-parked': { level: 'notice', about: 'uploads were refused; they are tried again slowly' },
  'camera-keyframes': { level: 'notice', about: 'the key frames of a camera are too far apart' },
  'dashboard-loopback': {
    level: 'notice',
    about: 'the page stays open to this machine alone: what it takes to open it to others is not there',
  },
  'room-failed': { level: 'trouble', about: 'a part of the appliance could not start' },
} as const satisfies Record<string, { level: ConditionLevel; about: string }>;

export type ConditionCode = keyof typeof CONDITIONS;
export const CONDITION_CODES = Object.keys(CONDITIONS) as [ConditionCode, ...ConditionCode[]];

/** Most conditions that stand at one time; those that matter most are kept. */
export const CONDITIONS_MAX = 32;

/** A condition that stands. */
export const ReportedCondition = Type.Object({
  code: OneOf(CONDITION_CODES, 'What is wrong; stable, for programs'),
  level: OneOf(CONDITION_LEVELS, 'notice: it passes, or watch it; trouble: somebody must act'),
  subject: Type.Optional(
    Type.String({ maxLength: 64, description: 'Which one: id of the camera, name of the part' }),
  ),
  sinceUtc: IsoTime('Since when'),
  detail: Type.String({ maxLength: 1_000, description: 'One sentence for a person' }),
});
export type ReportedCondition = Static<typeof ReportedCondition>;
