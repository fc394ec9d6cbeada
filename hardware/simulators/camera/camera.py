#!/usr/bin/python3
"""A camera on the network: RTSP on 127.0.0.1 with /main and /sub, from footage made by footage.ts.

Invariants
1. There is one time line. Every viewer of either stream sees the same picture at the same moment; who comes later
   sees later pictures, beginning with a key frame.
2. Nothing is decoded or encoded here: access units are read from memory and sent when they are due.
3. The scene stands still until somebody watches. The lead-in counts from the first PLAY of any viewer.
4. It ends when standard input ends, so it never outlives the program that started it.

Standard output, one JSON object a line: {"ready": true, ...} once, then {"event": ...} lines:
viewers, footage-started (with the wall time of its first picture), footage-ended, fault.
Standard input, one JSON object a line: {"fault": "freeze" | "drop" | "garbage" | null}.
"""

import argparse
import json
import mmap
import random
import signal
import sys
import threading
import time

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer
except (ImportError, ValueError):
    sys.exit("The camera simulator needs the Debian packages python3-gi and gir1.2-gst-rtsp-server-1.0.")

DELIMITER = b"\x00\x00\x00\x01\x09"
DELIMITER_LENGTH = len(DELIMITER) + 1
SECOND = 1_000_000_000
LAUNCH = (
    "( appsrc name=source is-live=true format=time block=false max-bytes=0 "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au ! rtph264pay name=pay0 pt=96 )"
)
# A client that asks what there is and never plays must not fill our memory. One that plays and reads too slowly does
# not either: the server drops what its connection cannot take.
LONGEST_QUEUE_GOPS = 5


SAYING = threading.Lock()


def say(**fields):
    # Several threads tell: text and line end would come apart.
    with SAYING:
        print(json.dumps(fields), flush=True)


class Stream:
    """The access units of one elementary stream, and who watches it."""

    def __init__(self, name, path, gop):
        self.name = name
        self.gop = gop
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.starts = []
        at = self.bytes.find(DELIMITER)
        while at >= 0:
            self.starts.append(at)
            at = self.bytes.find(DELIMITER, at + DELIMITER_LENGTH)
        self.viewers = []

    def unit(self, index):
        """The access unit without its delimiter, which few cameras send."""
        end = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.bytes)
        return self.bytes[self.starts[index] + DELIMITER_LENGTH : end]

    def is_key(self, index):
        return index % self.gop == 0


class TimeLine:
    """Which picture comes next: still, footage, still or footage again."""

    def __init__(self, total, gop, fps, lead_in_s, loop):
        self.gop = gop
        self.footage = total - 3 * gop
        # Two key frames side by side may carry the same idr_pic_id, which decoders take for one picture.
        self.round = self.footage + 1 if self.footage % gop == 1 else self.footage
        self.last_still = gop + -(-self.footage // gop) * gop
        self.lead_in = round(lead_in_s * fps)
        self.loop = loop
        self.watched = False
        self.still = 0  # pictures of the lead-in shown since somebody watches
        self.position = 0  # of the next picture in the files
        self.playing = False

    def next(self):
        """(index of the picture, event it stands for or None)"""
        if not self.playing:
            if self.watched and self.still >= self.lead_in:
                self.playing = True
                self.position = self.gop
            else:
                self.still += self.watched
                index = self.position
                self.position = (self.position + 1) % self.gop
                return index, None
        index = self.position
        self.position += 1
        if self.loop and self.position == self.gop + self.round:
            self.position = self.gop
        elif self.position == self.last_still + self.gop:
            self.position = self.last_still
        event = None
        if index == self.gop:
            event = "footage-started"
        elif not self.loop and index == self.gop + self.footage and not hasattr(self, "ended"):
            self.ended = True
            event = "footage-ended"
        return index, event


class Viewer:
    """One client of one stream: an appsrc whose first picture is a key frame."""

    def __init__(self, stream, media):
        self.source = media.get_element().get_by_name("source")
        self.stream = stream
        self.began_ns = None
        self.waits_for_key = True

    def push(self, buffer, is_key, due_ns):
        if self.source.get_base_time() == 0:
            return  # the pipeline does not run yet
        if self.source.get_property("current-level-buffers") > LONGEST_QUEUE_GOPS * self.stream.gop:
            self.waits_for_key = True
            return
        if self.waits_for_key and not is_key:
            return
        self.waits_for_key = False
        if self.began_ns is None:
            clock = self.source.get_clock() or Gst.SystemClock.obtain()
            self.began_ns = due_ns - max(0, clock.get_time() - self.source.get_base_time())
        # A buffer of its own for each viewer: `copy` in Python is another name for the same one, and two viewers would
        # share their time stamps.
        picture = buffer.copy_deep()
        picture.pts = picture.dts = due_ns - self.began_ns
        self.source.emit("push-buffer", picture)


class Faults:
    """What goes wrong on the way out, chosen on standard input. Given an access unit, what is really sent."""

    def __init__(self):
        self.current = None
        self.random = random.Random(1)

    def choose(self, name):
        if name not in (None, "freeze", "drop", "garbage"):
            print(f"unknown fault {name!r}", file=sys.stderr, flush=True)
            return
        self.current = name
        say(event="fault", fault=name, atMs=time.time_ns() / 1e6)

    def apply(self, unit):
        if self.current == "freeze" or (self.current == "drop" and self.random.random() < 0.3):
            return None
        if self.current == "garbage":
            spoilt = bytearray(unit)
            # The first bytes stay, so that it is still taken for a picture.
            for _ in range(max(1, len(spoilt) // 50)):
                spoilt[self.random.randrange(min(64, len(spoilt) - 1), len(spoilt))] = self.random.randrange(256)
            return bytes(spoilt)
        return unit


class Camera:
    def __init__(self, footage, streams, options):
        self.streams = streams
        self.fps = footage["fps"]
        rate = self.fps["num"] / self.fps["den"]
        total = len(streams[0].starts)
        if total != len(streams[1].starts) or total - 3 * footage["gopFrames"] != footage["footageFrames"]:
            sys.exit("The footage is damaged: main and sub do not hold the pictures its manifest promises.")
        self.line = TimeLine(total, footage["gopFrames"], rate, options.lead_in, not options.once)
        self.faults = Faults()
        self.lock = threading.Lock()

    def factory(self, stream):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(LAUNCH)
        factory.set_shared(False)  # each viewer gets its own key frame first; the time line is shared, see run()
        factory.connect("media-configure", self.configure, stream)
        return factory

    def configure(self, _factory, media, stream):
        viewer = Viewer(stream, media)
        with self.lock:
            stream.viewers.append(viewer)
        media.connect("new-state", self.state_changed)
        media.connect("unprepared", self.left, viewer)
        self.report(stream)

    def state_changed(self, _media, state):
        if state == int(Gst.State.PLAYING):
            with self.lock:
                self.line.watched = True

    def left(self, _media, viewer):
        with self.lock:
            viewer.stream.viewers.remove(viewer)
        self.report(viewer.stream)

    def report(self, stream):
        say(event="viewers", stream=stream.name, viewers=len(stream.viewers), atMs=time.time_ns() / 1e6)

    def run(self):
        """Sends picture after picture when it is due, for ever. Runs in a thread of its own."""
        start_ns = time.monotonic_ns()
        count = 0
        while True:
            due_ns = start_ns + count * SECOND * self.fps["den"] // self.fps["num"]
            late_ns = time.monotonic_ns() - due_ns
            if late_ns < 0:
                time.sleep(-late_ns / SECOND)
            elif late_ns > SECOND:
                # We were stopped for a while. A camera goes on from now; it does not hurry to catch up.
                start_ns += late_ns
                due_ns += late_ns
            count += 1
            with self.lock:
                index, event = self.line.next()
                viewers = [(stream, list(stream.viewers)) for stream in self.streams]
            if event:
                say(event=event, atMs=time.time_ns() / 1e6)
            for stream, watching in viewers:
                unit = self.faults.apply(stream.unit(index)) if watching else None
                if unit is None:
                    continue
                buffer = Gst.Buffer.new_wrapped(unit)
                for viewer in watching:
                    viewer.push(buffer, stream.is_key(index), due_ns)

    def listen(self, stop):
        """Commands from standard input; its end is the end of the camera. Runs in a thread of its own."""
        for line in sys.stdin:
            try:
                self.faults.choose(json.loads(line)["fault"])
            except (ValueError, KeyError, TypeError):
                print(f"not a command: {line.strip()[:200]}", file=sys.stderr, flush=True)
        stop()


def main():
    parser = argparse.ArgumentParser(description="Serves prepared footage as an RTSP camera on 127.0.0.1.")
    parser.add_argument("footage", help="folder made by footage.ts")
    parser.add_argument("--port", type=int, default=0, help="0 = one that is free")
    parser.add_argument("--lead-in", type=float, default=0, help="seconds the first picture stands still first")
    parser.add_argument("--once", action="store_true", help="play once, then the last picture stands still")
    options = parser.parse_args()

    with open(f"{options.footage}/footage.json", encoding="utf-8") as file:
        footage = json.load(file)
    streams = [Stream(name, f"{options.footage}/{name}.h264", footage["gopFrames"]) for name in ("main", "sub")]

    Gst.init(None)
    loop = GLib.MainLoop()
    camera = Camera(footage, streams, options)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    for stream in streams:
        server.get_mount_points().add_factory(f"/{stream.name}", camera.factory(stream))
    if server.attach(None) == 0:
        sys.exit(f"Port {options.port} on 127.0.0.1 is not free.")
    # Viewers that vanish without a word are forgotten when their session has expired.
    GLib.timeout_add_seconds(5, lambda: server.get_session_pool().cleanup() >= 0)
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)

    threading.Thread(target=camera.run, daemon=True).start()
    threading.Thread(target=camera.listen, args=(lambda: GLib.idle_add(loop.quit),), daemon=True).start()
    url = f"rtsp://127.0.0.1:{server.get_bound_port()}"
    say(ready=True, mainUrl=f"{url}/main", subUrl=f"{url}/sub", port=server.get_bound_port())
    loop.run()


if __name__ == "__main__":
    main()
