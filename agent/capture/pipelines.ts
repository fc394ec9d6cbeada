/** Launch strings. They hold no address and no login: those are set as properties of the element named `source`
 *  afterwards, so nothing in an address or a password can become part of a pipeline. */

/** Picture size that the motion detector gets. */
export const GREY = { width: 320, height: 180, framesPerSecond: 5 } as const;

export const SOURCE = 'source';
export const SINK = 'sink';
/** The branch of the watched stream that makes pictures for people: the valve, the encoder, the sink. */
export const SHUTTER = 'shutter';
export const ENCODER = 'encoder';
export const PICTURES = 'pictures';
/** A larger picture is made smaller: it must fit into a message. */
const WIDEST_PX = 1280;

/** TCP only: a lost UDP packet tears pictures in the evidence. `buffer-mode=none` takes the camera's own time
 *  stamps: the default smooths them by arrival, and gives pictures that arrive in a burst one and the same time, which
 *  the muxer refuses. The wait for an answer at the end is short: a frozen camera never answers. */
const RTSP = `rtspsrc name=${SOURCE} protocols=tcp latency=200 buffer-mode=none teardown-timeout=100000000`;

/** The recorded stream: never decoded, packed into fragments of at most a second that begin a new one at each key
 *  frame. `avc` because MP4 and browsers want it; frames before the first key frame are of no use to anybody. */
export const MAIN_PIPELINE = [
  RTSP,
  'rtph264depay wait-for-keyframe=true',
  'h264parse',
  'video/x-h264,stream-format=avc,alignment=au',
  'mp4mux fragment-duration=1000',
  `appsink name=${SINK} sync=false max-buffers=600`,
].join(' ! ');

/** The watched stream: decoded by one thread, five small grey pictures a second. Late pictures are dropped: motion
 *  must be seen now or not at all. No borders, so a place in the picture is the same place in the main stream.
 *  Beside it hangs a branch behind a closed valve, which costs nothing: while the valve is open, pictures come out of
 *  it in colour, as JPEG, with square pixels. By way of RGB, because a JPEG's levels go from 0 to 255 and those of
 *  video from 16 to 235, and neither the encoder nor a conversion from YUV to YUV changes them. Its sink has
 *  `async=false`, because it has no first picture to wait for. */
export const SUB_PIPELINE = [
  RTSP,
  'rtph264depay wait-for-keyframe=true',
  'h264parse',
  'avdec_h264 max-threads=1',
  `videorate drop-only=true max-rate=${GREY.framesPerSecond}`,
  'tee name=decoded',
  'videoscale method=nearest-neighbour add-borders=false',
  'videoconvert',
  `video/x-raw,format=GRAY8,width=${GREY.width},height=${GREY.height}`,
  `appsink name=${SINK} sync=false max-buffers=2 drop=true decoded.`,
  `valve name=${SHUTTER} drop=true`,
  'videoscale add-borders=false',
  'videoconvert',
  `video/x-raw,format=RGB,width=[1,${WIDEST_PX}],height=[1,${WIDEST_PX}],pixel-aspect-ratio=1/1`,
  'videoconvert',
  'video/x-raw,format=I420,colorimetry=1:4:7:1',
  `jpegenc name=${ENCODER}`,
  `appsink name=${PICTURES} sync=false async=false max-buffers=1 drop=true`,
].join(' ! ');
