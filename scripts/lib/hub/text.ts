/** Text as it is, everything else as JSON. */
export const word = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '?');

/** A device may send anything: no control character of it reaches the terminal. */
export const printable = (text: string) =>
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '·');
