import type { Encoding } from '../packing/coding.ts';

/** What GStreamer does: it decodes. It hears nothing of addresses, logins and packets (rtsp-stream.ts). */

/** Pictures that the motion detector gets, at most so many a second. */
export const GREY = { width: 320, height: 180, framesPerSecond: 5 } as const;

export const SOURCE = 'source';
export const SINK = 'sink';
/** The branch of the watched stream that makes pictures for people: the valve, the encoder, the sink. */
export const SHUTTER = 'shutter';
export const ENCODER = 'encoder';
export const PICTURES = 'pictures';
/** A larger picture is made smaller: it must fit into a message. */
const WIDEST_PX = 1280;
/** The branch that makes the small picture of a clip. */
export const THUMBNAIL_SHUTTER = 'thumbnail-shutter';
export const THUMBNAIL_ENCODER = 'thumbnail-encoder';
export const THUMBNAILS = 'thumbnails';
/** As a list on a phone shows it. */
const THUMBNAIL_PX = 320;

/** Pictures for people out of what is decoded, as JPEG, in colour, with square pixels: behind a closed valve, where it
 *  costs nothing. By way of RGB, because a JPEG's levels go from 0 to 255 and those of video from 16 to 235, and neither
 *  the encoder nor a conversion from YUV to YUV changes them. Its sink has `async=false`, because it has no first
 *  picture to wait for.
 *  @param next where the next branch begins */
const branch = (shutter: string, encoder: string, sink: string, widestPx: number, next = '') => [
  `valve name=${shutter} drop=true`,
  'videoscale add-borders=false',
  'videoconvert',
  `video/x-raw,format=RGB,width=[1,${widestPx}],height=[1,${widestPx}],pixel-aspect-ratio=1/1`,
  'videoconvert',
  'video/x-raw,format=I420,colorimetry=1:4:7:1',
  `jpegenc name=${encoder}`,
  `appsink name=${sink} sync=false async=false max-buffers=1 drop=true ${next}`,
];

const DECODES: Readonly<Record<Encoding, { readonly caps: string; readonly decoder: string }>> = {
  H264: { caps: 'video/x-h264', decoder: 'avdec_h264' },
  H265: { caps: 'video/x-h265', decoder: 'avdec_h265' },
};

/** The watched stream, a coded picture a buffer: decoded by one thread, one small grey picture for each. No borders, so
 *  a place in the picture is the same place in the main stream.
 *  Beside it hang two branches of pictures for people: those that somebody asks for, and the small ones of clips. */
export const decoderOf = (encoding: Encoding): string =>
  [
    // Whether too much waits is looked after before each picture (gstreamer.ts).
    `appsrc name=${SOURCE} caps=${DECODES[encoding].caps},stream-format=byte-stream,alignment=au is-live=true format=time max-bytes=0`,
    // Nothing before the first key frame, or recovery point.
    `${DECODES[encoding].decoder} max-threads=1 output-corrupt=false`,
    'tee name=decoded',
    // First grey, then small: colour is not scaled to be thrown away.
    'videoconvert',
    'videoscale method=nearest-neighbour add-borders=false',
    `video/x-raw,format=GRAY8,width=${GREY.width},height=${GREY.height}`,
    // Each picture that went in has to come out: which are looked at is decided behind it (adaptive-decoding.ts).
    `appsink name=${SINK} sync=false max-buffers=4 drop=false decoded.`,
    ...branch(SHUTTER, ENCODER, PICTURES, WIDEST_PX, 'decoded.'),
    ...branch(THUMBNAIL_SHUTTER, THUMBNAIL_ENCODER, THUMBNAILS, THUMBNAIL_PX),
  ].join(' ! ');
