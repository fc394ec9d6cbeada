import { Type, type Static } from 'typebox';
import { isSimplePolygon } from '../polygon.ts';
import { Name, OneOf } from '../schema-types.ts';
import { WEEKDAYS } from '../weekdays.ts';

export const LINE_DIRECTIONS = ['left-to-right', 'right-to-left', 'both'] as const;

const Point = (description: string) =>
  Type.Tuple([Type.Number({ minimum: 0, maximum: 1 }), Type.Number({ minimum: 0, maximum: 1 })], {
    description,
  });

const Polygon = Type.Refine(
  Type.Array(Point('x and y, relative to the picture: 0, 0 is the upper left corner'), {
    minItems: 3,
    maxItems: 32,
    description: 'Corners in order, the last is joined to the first. Its sides may not cross or touch',
  }),
  isSimplePolygon,
  () => 'must be a polygon whose sides do not cross or touch each other and enclose an area',
);

const clockTime = (description: string) =>
  Type.String({ pattern: '^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$', description });

/** Windows of local time. In the hour that a change of the clocks leaves out nothing is active that lies wholly in
 *  it; an hour that comes twice is active twice. */
export const Schedule = Type.Array(
  Type.Object({
    days: Type.Optional(
      Type.Array(OneOf(WEEKDAYS, 'Day on which the window begins'), {
        minItems: 1,
        maxItems: 7,
        uniqueItems: true,
        description: 'Days on which the window begins; every day when absent',
      }),
    ),
    from: clockTime('Local time at which the window begins, HH:MM'),
    to: clockTime(
      'Local time at which it ends, HH:MM; not later than `from`: on the next day. Both alike: 24 hours',
    ),
  }),
  { minItems: 1, maxItems: 32, description: 'Active inside these windows of local time; always when absent' },
);
export type Schedule = Static<typeof Schedule>;

export const Zone = Type.Object({
  id: Name('Short name of the zone'),
  title: Type.Optional(Type.String({ maxLength: 80, description: 'Name a person reads' })),
  polygon: Polygon,
  sensitivity: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10, description: 'As for the camera, whose step holds when absent' }),
  ),
  minSize: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'Least share of the picture that the box around a moving thing covers',
    }),
  ),
  dwellMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 600_000,
      description: 'How long a moving thing must be in the zone, milliseconds; 0 or absent: at once',
    }),
  ),
  schedule: Type.Optional(Schedule),
});
export type Zone = Static<typeof Zone>;

export const Mask = Type.Object({ id: Name('Short name of the mask'), polygon: Polygon });
export type Mask = Static<typeof Mask>;

export const Line = Type.Refine(
  Type.Object({
    id: Name('Short name of the line'),
    from: Point('Where the line begins, relative to the picture'),
    to: Point('Where the line ends'),
    direction: OneOf(LINE_DIRECTIONS, 'Which crossing counts, as seen walking from `from` to `to`'),
    schedule: Type.Optional(Schedule),
  }),
  ({ from, to }) => from[0] !== to[0] || from[1] !== to[1],
  () => 'must end at another place than it begins',
);
export type Line = Static<typeof Line>;

/** Time zones of this Node; Debian's carries the whole database. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

export const TimeZone = (description: string) =>
  Type.Refine(
    Type.String({ maxLength: 64, description }),
    isTimeZone,
    () => 'must be the name of a time zone like Europe/Kyiv',
  );

const unlikeIds = (items: readonly { readonly id: string }[]) =>
  new Set(items.map(({ id }) => id)).size === items.length;
const UNLIKE = () => 'must not use an id twice';

export const Zones = Type.Refine(
  Type.Array(Zone, {
    maxItems: 16,
    description:
      'Where motion counts; without them in the whole picture. Empty beside lines: only the lines count',
  }),
  unlikeIds,
  UNLIKE,
);
export const Masks = Type.Refine(
  Type.Array(Mask, {
    maxItems: 16,
    description: 'Parts of the picture that are never analysed. They are recorded',
  }),
  unlikeIds,
  UNLIKE,
);
export const Lines = Type.Refine(
  Type.Array(Line, { maxItems: 16, description: 'Crossing one of these lines starts a recording at once' }),
  unlikeIds,
  UNLIKE,
);
