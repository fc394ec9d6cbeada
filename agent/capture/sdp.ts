/** RTP payload types that need no `a=rtpmap` (RFC 3551). */
const STATIC: Readonly<Record<string, string>> = { '26': 'JPEG', '31': 'H261', '32': 'MPV', '34': 'H263' };

/** The RTP encoding names of the pictures that a session description offers, upper case, like `H264`. A stream whose
 *  codec it does not name is left out. Text of any kind is read; nothing is thrown.
 *  @returns undefined when it is no session description, or offers no pictures */
export function pictureCodecs(sdp: string): readonly string[] | undefined {
  const [, ...media] = sections(sdp);
  const pictures = media.filter(isVideo);
  if (pictures.length === 0) return undefined;
  return pictures.flatMap((section) => codecOf(section) ?? []);
}

/** The same description with its first H.264 stream and nothing beside it: no sound, no other pictures. One that offers
 *  none stays as it is. */
export function withOneStream(sdp: string): string {
  const [session = '', ...media] = sections(sdp);
  const pictures = media.find((section) => isVideo(section) && codecOf(section) === 'H264');
  return pictures === undefined ? sdp : session + pictures;
}

/** The first one is about the session, each other one about one of its streams. */
const sections = (sdp: string): string[] => sdp.split(/^(?=m=)/m);
const isVideo = (section: string): boolean => section.startsWith('m=video ');

function codecOf(section: string): string | undefined {
  const format = /^m=video \S+ \S+ (\d+)/.exec(section)?.[1] ?? '';
  const named = new RegExp(`^a=rtpmap:${format} +([^/\\s]+)/`, 'm').exec(section)?.[1] ?? STATIC[format];
  return named?.toUpperCase();
}
