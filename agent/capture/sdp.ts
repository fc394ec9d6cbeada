/** RTP payload types that need no `a=rtpmap` (RFC 3551). */
const STATIC: Readonly<Record<string, string>> = { '26': 'JPEG', '31': 'H261', '32': 'MPV', '34': 'H263' };

/** The RTP encoding names of the pictures that a session description offers, upper case, like `H264`. A stream whose
 *  codec it does not name is left out. Text of any kind is read; nothing is thrown.
 *  @returns undefined when it is no session description, or offers no pictures */
export function pictureCodecs(sdp: string): readonly string[] | undefined {
  const [, ...media] = sdp.split(/^m=/m);
  const pictures = media.filter((section) => section.startsWith('video '));
  if (pictures.length === 0) return undefined;
  return pictures.flatMap((section) => {
    const format = /^video \S+ \S+ (\d+)/.exec(section)?.[1] ?? '';
    const named = new RegExp(`^a=rtpmap:${format} +([^/\\s]+)/`, 'm').exec(section)?.[1] ?? STATIC[format];
    return named === undefined ? [] : [named.toUpperCase()];
  });
}
