/** Our own synchronisation source, which sends nothing. */
const SOURCE = 0xdac4_a3a7;
const REPORT = reportOf(SOURCE, 'dachawatch');

/** An empty receiver report, and a name (RFC 3550, 6.4.2 and 6.5), framed for the control channel beside that of the
 *  packets. */
export function receiverReport(channel: number): Buffer {
  const bytes = Buffer.alloc(4 + REPORT.length);
  bytes.writeUInt32BE(0x2400_0000 + ((channel + 1) & 0xff) * 0x1_0000 + REPORT.length);
  REPORT.copy(bytes, 4);
  return bytes;
}

function reportOf(source: number, name: string): Buffer {
  const item = Buffer.from(name, 'latin1');
  // The list of items ends with a zero, and with a full word.
  const words = Math.floor((4 + 2 + item.length) / 4) + 1;
  const bytes = Buffer.alloc(8 + 4 + words * 4);
  bytes.writeUInt32BE(0x80c9_0001, 0);
  bytes.writeUInt32BE(source, 4);
  bytes.writeUInt32BE(0x81ca_0000 + words, 8);
  bytes.writeUInt32BE(source, 12);
  bytes.writeUInt16BE(0x0100 + item.length, 16);
  item.copy(bytes, 18);
  return bytes;
}
