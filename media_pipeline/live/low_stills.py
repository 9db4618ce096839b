"""A still picture every few seconds, for those who save data: drawn from a key frame.

One short ffmpeg each: it decodes one picture, where one that runs all the time would have to be
given everything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from media_pipeline.live.low_encoder import LowEncoder
from media_pipeline.live.low_recipe import still_command
from media_pipeline.live.parts import Part

log = logging.getLogger(__name__)

EVERY_S = 4.0
DRAWN_WITHIN_S = 8.0


class Stills:
    """Of one take. `on_picture` hears each JPEG."""

    def __init__(self, head: bytes, on_picture: Callable[[bytes], None]) -> None:
        self._head = head
        self._on_picture = on_picture
        self._began_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._encoder: LowEncoder | None = None
        self._is_over = False

    def passed(self, part: Part) -> None:
        """A part of the source; drawn if it is time and the last picture is done."""
        is_busy = self._task is not None and not self._task.done()
        if part.is_key and not is_busy and time.monotonic() - self._began_at >= EVERY_S:
            self._began_at = time.monotonic()
            self._task = asyncio.create_task(self._draw(self._head + part.data))

    async def stop(self) -> None:
        self._is_over = True
        if self._encoder is not None:
            self._encoder.kill()
        if self._task is not None:
            await self._task

    async def _draw(self, media: bytes) -> None:
        encoder = self._encoder = await LowEncoder.start(still_command())
        late = asyncio.get_running_loop().call_later(DRAWN_WITHIN_S, encoder.kill)
        try:
            encoder.offer(media)
            encoder.no_more()
            picture = await encoder.everything()
            await encoder.reaped()
        finally:
            late.cancel()
            encoder.kill()
            self._encoder = None
        if self._is_over:
            return
        if picture.endswith(b"\xff\xd9"):
            self._on_picture(picture)
        else:
            log.warning("no still picture: %s", encoder.said)
