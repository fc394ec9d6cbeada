import { CameraConfig, ContractError, parse } from '@dachawatch/contracts';
import type { SeenBy, Sighting, SuppressedRecord } from './record.ts';

/** The latest moment that a date can be. */
const LAST_MS = 8.64e15;

/** A stored note, checked as far as anybody looks into it: whoever replays or draws it finds what the type says.
 *  @returns undefined for what is no note of this version */
export function suppressedRecordIn(text: string): SuppressedRecord | undefined {
  let value: Partial<SuppressedRecord> | null;
  try {
    value = JSON.parse(text) as Partial<SuppressedRecord> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const fits =
    value?.version === 1 &&
    isNumber(value.atMs) &&
    Math.abs(value.atMs) <= LAST_MS &&
    typeof value.reason === 'string' &&
    Array.isArray(value.models) &&
    value.models.every(isModel) &&
    (value.last === undefined || isLast(value.last)) &&
    Array.isArray(value.pictures) &&
    value.pictures.every((picture) => typeof picture?.grey === 'string' && isNumber(picture.afterMs)) &&
    isSettings(value.settings);
  return fits ? (value as SuppressedRecord) : undefined;
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);

const isLast = (last: Partial<NonNullable<SuppressedRecord['last']>> | null) =>
  isNumber(last?.afterMs) && Array.isArray(last.models) && last.models.every(isModel);

const isModel = (model: Partial<SeenBy> | null) =>
  isNumber(model?.sensitivity) &&
  (model.reason === null || typeof model.reason === 'string') &&
  typeof model.quiet === 'boolean' &&
  Array.isArray(model.sightings) &&
  model.sightings.every(isSighting);

const isSighting = (one: Partial<Sighting> | null) =>
  Array.isArray(one?.region) &&
  one.region.length === 4 &&
  one.region.every(isNumber) &&
  typeof one.confirmed === 'boolean' &&
  isNumber(one.seenMs) &&
  isNumber(one.travel) &&
  Array.isArray(one.stays) &&
  one.stays.every((stay) => typeof stay?.zone === 'string' && isNumber(stay.ms));

/** Zones are drawn and judged from them: they have to be such as a camera may have. */
function isSettings(settings: unknown): boolean {
  const camera = { id: 'note', main: 'rtsp://camera', sub: 'rtsp://camera' };
  if (typeof settings !== 'object' || settings === null) return false;
  try {
    parse(CameraConfig, { ...settings, ...camera });
    return true;
  } catch (error) {
    if (error instanceof ContractError) return false;
    throw error;
  }
}
