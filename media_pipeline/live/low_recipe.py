"""Command lines for what is made of a show's parts beside the picture itself.

All read the source's head and parts from standard input and keep its times (`-copyts`), so that
every rendition has the same media clock.
"""

from __future__ import annotations

from media_pipeline import ffmpeg

SHORT_SIDE = 360
LOW_BITS = 400_000
"""Bits a second that the 360p takes at most, sound and container included."""
AUDIO_BITS = 48_000
KEY_EVERY_S = 2
PART_US = 200_000
LEAST_FRAME_S = 0.03
"""Phones that film more than 30 pictures a second have every second one left out."""

# What stands above the bitrates asked for here is the container: 200 ms parts cost 4 to 7 kbit/s.
SOUND = ["-map", "0:a:0?", "-c:a", "aac", "-b:a", "38k", "-ac", "1", "-ar", "48000"]
FITTED = f"scale=w='if(gt(iw,ih),-2,{SHORT_SIDE})':h='if(gt(iw,ih),{SHORT_SIDE},-2)'"


def audio_command() -> list[str]:
    """Sound alone in 200 ms parts on standard output."""
    return ffmpeg.command([*_input(), "-vn", *SOUND, *_output()])


def low_command() -> list[str]:
    """A picture whose shorter side is 360, with sound, in 200 ms parts on standard output."""
    return ffmpeg.command([*_input(), *_picture(), *SOUND, *_output()])


def still_command() -> list[str]:
    """The first picture as a JPEG on standard output."""
    drawn = ["-map", "0:v:0", "-frames:v", "1", "-vf", f"{FITTED}:flags=bilinear"]
    return ffmpeg.command([*_input(), *drawn, "-q:v", "9", "-f", "image2pipe", "pipe:1"])


def _input() -> list[str]:
    # The head says everything; a decoder with several threads would hold pictures back.
    known = ["-analyzeduration", "0", "-probesize", "32", "-fpsprobesize", "0"]
    return [*known, "-threads", "1", "-copyts", "-i", "pipe:0"]


def _picture() -> list[str]:
    chosen = ["-map", "0:v:0", "-video_track_timescale", "90000", "-fps_mode", "vfr"]
    steps = f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{LEAST_FRAME_S})'"
    shape = ["-vf", f"{steps},{FITTED}:flags=fast_bilinear"]
    # One thread: more would take turns with the first encoder on every core.
    speed = ["-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-threads", "1"]
    rate = ["-b:v", "300k", "-maxrate", "320k", "-bufsize", "320k", "-pix_fmt", "yuv420p"]
    key_frames = f"expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+{KEY_EVERY_S}))"
    return [*chosen, *shape, *speed, *rate, "-force_key_frames", key_frames, "-sc_threshold", "0"]


def _output() -> list[str]:
    soon = ["-max_interleave_delta", "100000", "-flush_packets", "1"]
    times = ["-avoid_negative_ts", "disabled", "-write_btrt", "0"]
    flags = "empty_moov+default_base_moof+frag_keyframe+frag_discont"
    return [
        *soon,
        *times,
        "-movflags",
        flags,
        "-frag_duration",
        str(PART_US),
        "-f",
        "mp4",
        "pipe:1",
    ]
