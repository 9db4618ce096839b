"""Real parts for live media: ffmpeg's 100 ms fragments, split by box, and a camera that films."""

from __future__ import annotations

import asyncio
import struct
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from media_pipeline import ffmpeg
from media_pipeline.live.feed import Feed
from media_pipeline.live.parts import Part

MIME = 'video/mp4; codecs="avc1.42C01E, mp4a.40.2"'
SOUND_MIME = 'video/mp4; codecs="mp4a.40.2"'
TIMESCALE = 90_000
SOUND_TIMESCALE = 48_000
KEY_ALONE = 0x4  # of `trun`: the first sample is unlike the others, which no other sample is


TONE = ["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
AAC = ["-c:a", "aac", "-b:a", "64k"]


def picture(size: str) -> list[str]:
    inputs = ["-re", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=30"]
    video = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30"]
    shape = ["-profile:v", "baseline", "-pix_fmt", "yuv420p"]
    return [*inputs, *TONE, *video, *shape, *AAC]


FRAGMENTS = ["-movflags", "empty_moov+default_base_moof+frag_keyframe", "-frag_duration", "100000"]
OUT = [*FRAGMENTS, "-video_track_timescale", str(TIMESCALE), "-flush_packets", "1", "-f", "mp4"]


@asynccontextmanager
async def filming(feed: Feed, *, size: str | None = "320x180") -> AsyncIterator[None]:
    """A camera that films a moving picture with a tone into the feed, as long as this lasts.

    Without a `size` it is the tone alone.
    """
    filmed = picture(size) if size else [*TONE, *AAC]
    line = [ffmpeg.ffmpeg_path(), "-nostdin", "-loglevel", "error", *filmed, *OUT, "-"]
    mime = MIME if size else SOUND_MIME
    process = await asyncio.create_subprocess_exec(*line, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    pushing = asyncio.create_task(_push(process.stdout, feed, mime))
    try:
        yield
        assert not pushing.done() or pushing.exception() is None
    finally:
        process.kill()
        await process.wait()
        with suppress(asyncio.IncompleteReadError):
            await pushing
        feed.end()


async def _push(stream: asyncio.StreamReader, feed: Feed, mime: str) -> None:
    """Each part as soon as it is filmed: ffmpeg runs ahead of that by its first half second."""
    init, moof, zero_s = b"", b"", 0.0
    while True:
        head = await stream.readexactly(8)
        size, kind = struct.unpack(">I4s", head)
        box = head + await stream.readexactly(size - 8)
        if kind == b"moof":
            moof = box
        elif kind != b"mdat":
            init += box
        elif moof:
            if not zero_s:
                zero_s = time.time()
                feed.begin(uuid.uuid4(), init, mime, datetime.fromtimestamp(zero_s, UTC))
            is_sound = mime == SOUND_MIME
            start_s = start_of(moof, SOUND_TIMESCALE if is_sound else TIMESCALE)
            part = Part(moof + box, start_s, 0.1, is_sound or is_key(moof))
            await asyncio.sleep(zero_s + part.end_s - time.time())
            feed.push(part)


def start_of(moof: bytes, timescale: int) -> float:
    """Seconds, of its first track, which is the picture where there is one."""
    at = moof.index(b"tfdt")
    ticks: int = struct.unpack_from(">Q", moof, at + 8)[0]
    return ticks / timescale


def is_key(moof: bytes) -> bool:
    at = moof.index(b"trun")
    flags: int = struct.unpack_from(">I", moof, at + 4)[0]
    return bool(flags & KEY_ALONE)
