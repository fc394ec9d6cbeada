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

/** Takes one packet now and then, so that a stream that sends no whole picture can be told from one that is silent. */
export const FLOW = 'flow';

/** TCP only: a lost UDP packet tears pictures in the evidence. The wait for an answer at the end is short: a frozen
 *  camera never answers. */
const rtsp = (mode: string) =>
  `rtspsrc name=${SOURCE} protocols=tcp latency=200 ${mode} teardown-timeout=100000000`;

/** Only video: cameras send sound and metadata beside it. */
const H264 = 'application/x-rtp,media=video,encoding-name=H264';
const PACKETS = 'packets';
/** The source opens another output each time the camera changes its synchronisation source (RTP's SSRC). What waits
 *  here is connected to it then; when none is left, the stream ends with an error and is begun anew. */
const NEXT_SOURCES = Array.from({ length: 8 }, () => `${SOURCE}. ! ${H264} ! ${PACKETS}.`).join(' ');

/** One NAL unit a buffer, whatever the packets' marker bits say, with the parameter sets where the camera sends them:
 *  `avc` would leave those out, and follow the camera's description instead. */
const DEPAYLOADED = ['rtph264depay', 'video/x-h264,stream-format=byte-stream,alignment=nal'];

/** The recorded stream: never parsed, muxed or decoded by GStreamer. `buffer-mode=none` takes the camera's own time
 *  stamps: the default smooths them by arrival, and gives pictures that arrive in a burst one and the same time.
 *  `gdppay` puts the stamp before each NAL unit, because the binding does not read it. */
export const MAIN_PIPELINE = [
  rtsp('buffer-mode=none'),
  H264,
  `funnel name=${PACKETS}`,
  ...DEPAYLOADED,
  'gdppay',
  `appsink name=${SINK} sync=false max-buffers=3000 ${NEXT_SOURCES}`,
].join(' ! ');

/** The watched stream: decoded by one thread, five small grey pictures a second. Late pictures are dropped: motion
 *  must be seen now or not at all. Its time stamps follow the arrival of its packets (`buffer-mode=slave`), so that a
 *  camera whose clock jumps is not watched by a clock that waits. No borders, so a place in the picture is the same
 *  place in the main stream.
 *  Beside it hangs a branch behind a closed valve, which costs nothing: while the valve is open, pictures come out of
 *  it in colour, as JPEG, with square pixels. By way of RGB, because a JPEG's levels go from 0 to 255 and those of
 *  video from 16 to 235, and neither the encoder nor a conversion from YUV to YUV changes them. Its sink has
 *  `async=false`, because it has no first picture to wait for. */
export const SUB_PIPELINE = [
  rtsp('buffer-mode=slave'),
  H264,
  `funnel name=${PACKETS}`,
  'tee name=received',
  ...DEPAYLOADED,
  'h264parse',
  // Nothing before the first key frame, or recovery point.
  'avdec_h264 max-threads=1 output-corrupt=false',
  // Of a stream that does not say how many pictures it has a second, 'videorate' drops none, and aborts the process.
  'capssetter caps=video/x-raw,framerate=30/1',
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
  `appsink name=${PICTURES} sync=false async=false max-buffers=1 drop=true received.`,
  `appsink name=${FLOW} sync=false async=false max-buffers=1 drop=true ${NEXT_SOURCES}`,
].join(' ! ');
