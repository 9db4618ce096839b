"""The live encoder's command line: a recorder's stream on stdin, HLS segments in its folder."""

from __future__ import annotations

from media_pipeline import ffmpeg
from media_pipeline.ingest.source import Source

PLAYLIST = "take.m3u8"
INIT = "init.mp4"
SEGMENT_S = 1
# Below the key frame interval by a hair: a key frame that a recorder's clock puts at 0.999 s must
# not make the segment two seconds long.
CUT_AFTER_S = 0.9


def live_command(source: Source) -> list[str]:
    """The command for a stream; to be run in the folder that gets the segments."""
    return ffmpeg.command([*_input(), *_video(source), *_audio(), *_output()])


def _input() -> list[str]:
    # Looking longer than a second at the stream would only keep viewers waiting.
    return ["-analyzeduration", "1000000", "-probesize", "1000000", "-i", "pipe:0"]


def _video(source: Source) -> list[str]:
    chosen = ["-map", "0:v:0"]
    if source.can_be_copied:
        return [*chosen, "-c:v", "copy"]
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency"]
    quality = ["-crf", "23", "-maxrate", "2500k", "-bufsize", "2500k", "-pix_fmt", "yuv420p"]
    # Encoders want even sides, and a turned phone may send odd ones.
    shape = ["-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-fps_mode", "vfr"]
    key_frames = ["-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT_S})", "-sc_threshold", "0"]
    return [*chosen, *encode, *quality, *shape, *key_frames]


def _audio() -> list[str]:
    # `async` fills the holes that a recorder leaves where a phone was too busy to listen.
    steady = ["-af", "aresample=async=1:first_pts=0"]
    return ["-map", "0:a:0?", "-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2", *steady]


def _output() -> list[str]:
    segments = ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", INIT]
    names = ["-hls_segment_filename", "%05d.m4s"]
    length = ["-hls_time", str(CUT_AFTER_S), "-hls_list_size", "0"]
    flags = ["-hls_flags", "independent_segments+temp_file"]
    return ["-f", "hls", *segments, *names, *length, *flags, PLAYLIST]
