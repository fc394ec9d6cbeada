import type { ReportedCamera, TwinReported } from '@dachawatch/contracts';

/** Beyond this, what is least missed is left out. */
export const REPORTED_BYTES_GOOD = 24_000;
/** IoT Hub takes 32 KB; a document that fits today must still fit after the hub has counted it its own way. */
export const REPORTED_BYTES_MAX = 30_000;
/** Of a text, and of one list, when everything else did not help. */
const TEXT_BYTES = 200;
const REFUSED_MAX = 20;

/** Bytes of the document, as JSON or as IoT Hub counts, whichever is more. The hub counts every number as 8 bytes:
 *  a polygon is longer for it than it looks.
 *  Source: "Understand and use device twins in IoT Hub", size of the twin. */
export const twinBytes = (document: unknown): number =>
  Math.max(Buffer.byteLength(JSON.stringify(document)), hubBytes(document));

function hubBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return 8;
  if (typeof value === 'boolean') return 4;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + hubBytes(item), 0);
  if (value === null || typeof value !== 'object') return 0;
  return Object.entries(value).reduce(
    (sum, [key, item]) => (item === undefined ? sum : sum + Buffer.byteLength(key) + hubBytes(item)),
    0,
  );
}

/** Cuts a text so that its JSON has at most so many bytes. */
export function shorten(text: string, bytes = TEXT_BYTES): string {
  const sizeOf = (part: string) => Buffer.byteLength(JSON.stringify(part)) - 2;
  if (sizeOf(text) <= bytes) return text;
  let kept = '';
  let left = bytes - sizeOf('…');
  for (const char of text) {
    left -= sizeOf(char);
    if (left < 0) break;
    kept += char;
  }
  return `${kept}…`;
}

type Settings = NonNullable<ReportedCamera['settings']>;

const changeSettings = (document: TwinReported, change: (settings: Settings) => Settings | undefined) => ({
  ...document,
  cameras: Object.fromEntries(
    Object.entries(document.cameras).map(([id, { settings, ...camera }]) => {
      const changed = settings && change(settings);
      return [id, changed === undefined ? camera : { ...camera, settings: changed }];
    }),
  ),
});

/** What is left out, one after the other, until the document fits. */
const STEPS: readonly {
  readonly leftOut: string;
  readonly cut: (document: TwinReported) => TwinReported;
}[] = [
  {
    leftOut: 'zones, masks and lines of the cameras',
    cut: (document) =>
      changeSettings(document, ({ zones: _zones, masks: _masks, lines: _lines, ...rest }) => rest),
  },
  {
    leftOut: 'settings of the cameras',
    cut: (document) => changeSettings(document, () => undefined),
  },
  {
    leftOut: `settings of the cameras, refused values beyond ${REFUSED_MAX}`,
    cut: (document) => ({ ...document, refused: document.refused.slice(0, REFUSED_MAX) }),
  },
];

/** Makes the document fit the twin: texts are cut to a sentence or two, then whole parts go, and `leftOut` says so.
 *  The result has at most `REPORTED_BYTES_MAX` bytes for sixteen cameras. */
export function fitTwin(full: TwinReported): TwinReported {
  let document: TwinReported = {
    ...full,
    refused: full.refused.map(({ path, reason }) => ({ path: shorten(path), reason: shorten(reason) })),
  };
  for (const { leftOut, cut } of STEPS) {
    if (twinBytes(document) <= REPORTED_BYTES_GOOD) return document;
    document = { ...cut(document), leftOut };
  }
  return document;
}
