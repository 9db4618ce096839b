"""The live encoder's command line: a recorder's stream on stdin, fragmented MP4 on stdout.

Times are the recorder's own, less where its stream began (`-copyts`), so an encoder that begins in
the middle goes on where another one stopped. Measured with a phone browser's stream:
`-fflags nobuffer` loses the first pictures and delays all others by a second, and a decoder with
threads for frames holds back as many frames as it has threads.
"""

from __future__ import annotations

from media_pipeline import ffmpeg
from media_pipeline.ingest.entry import Entry
from media_pipeline.ingest.source import Source

SAMPLE_RATE = 48_000
KEY_EVERY_S = 1.0
FRAME_S = 0.002


def live_command(
    source: Source, entry: Entry | None = None, *, key_after_s: float | None = None
) -> list[str]:
    """The command for a stream that is fed from `entry`.

    With `key_after_s` the first picture after it is a key frame if it is encoded: segments that
    have all before go on there.
    """
    entry = entry or Entry()
    picture = _video(source, key_after_s, entry) if source.video else []
    sound = _audio(entry) if source.may_have_sound else []
    return ffmpeg.command([*_input(source, entry), *picture, *sound, *_output()])


def _input(source: Source, entry: Entry) -> list[str]:
    # Analysis ends as soon as everything is known; at the latest after a second.
    analysis = ["-analyzeduration", "1000000", "-probesize", "1000000", "-fpsprobesize", "0"]
    decoding = ["-threads", "1"] if not source.can_be_copied else []
    return [*analysis, *decoding, "-copyts", "-itsoffset", f"{-entry.zero_s:.6f}", "-i", "pipe:0"]


def _video(source: Source, key_after_s: float | None, entry: Entry) -> list[str]:
    chosen = ["-map", "0:v:0", "-video_track_timescale", "90000"]
    if source.can_be_copied:
        return [*chosen, "-c:v", "copy"]
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency"]
    quality = ["-crf", "23", "-maxrate", "2500k", "-bufsize", "2500k", "-pix_fmt", "yuv420p"]
    # Encoders want even sides, and a turned phone may send odd ones.
    shape = ["-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-fps_mode", "vfr"]
    # The encoder counts from the first picture that is decoded.
    first_s = 0.0 if key_after_s is None else key_after_s - entry.key_s + FRAME_S
    since = f"if(isnan(prev_forced_t),{first_s:.3f},prev_forced_t+{KEY_EVERY_S - 0.001})"
    key_frames = ["-force_key_frames", f"expr:gte(t,{since})", "-sc_threshold", "0"]
    return [*chosen, *encode, *quality, *shape, *key_frames]


def _audio(entry: Entry) -> list[str]:
    # `async` fills the holes that a recorder leaves where a phone was too busy to listen.
    first = round(entry.from_s * SAMPLE_RATE)
    steady = ["-af", f"aresample=async=1:first_pts={first},aformat=channel_layouts=mono|stereo"]
    # Phones hear with one channel, which stays one.
    coded = ["-c:a", "aac", "-b:a", "96k", "-ar", str(SAMPLE_RATE), *steady]
    # The encoder's lead-in, which would begin before the picture.
    return ["-map", "0:a:0?", *coded, "-bsf:a", "noise=drop='lt(pts\\,0)'"]


def _output() -> list[str]:
    # Sound that is late, or has stopped, does not hold back the picture.
    soon = ["-max_interleave_delta", "100000", "-flush_packets", "1"]
    times = ["-avoid_negative_ts", "disabled", "-write_btrt", "0"]
    # Each picture at once; `frag_every_frame` gives pictures the time of their neighbours (8.1).
    # Without `frag_discont` each track's times begin at 0, whatever the recorder says.
    flags = "empty_moov+default_base_moof+frag_keyframe+frag_discont"
    pieces = ["-movflags", flags, "-frag_duration", "1"]
    return [*soon, *times, *pieces, "-f", "mp4", "pipe:1"]
