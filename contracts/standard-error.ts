/** Bytes that may wait for a collector of the log that has stopped reading. */
const WAITING_BYTES_MAX = 1 << 20;

let isGuarded = false;
let leftOut = 0;

/** Writes a line for whoever collects the log of this process. A collector that is gone, or that does not read, costs
 *  the lines that it does not take, and nothing else: neither the process nor its memory. When it reads again it is
 *  told how many lines were left out.
 *  @param line with its line break */
export function writeLogLine(line: string): void {
  const { stderr } = process;
  if (!isGuarded) {
    isGuarded = true;
    // EPIPE of each line, when nobody is left to read it: to log that would be the next one.
    stderr.on('error', () => undefined);
  }
  if (stderr.writableLength > WAITING_BYTES_MAX) {
    leftOut += 1;
    return;
  }
  if (leftOut > 0) {
    const entry = { level: 40, time: new Date().toISOString(), event: 'log.left-out', lines: leftOut };
    leftOut = 0;
    stderr.write(`${JSON.stringify({ ...entry, msg: 'nobody read the log; lines were left out' })}\n`);
  }
  stderr.write(line);
}
