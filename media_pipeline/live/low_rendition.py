"""One rendition of one take: an encoder is kept fed and running, and what it makes is shown."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from media_pipeline.ingest.boxes import BadBoxes, Init
from media_pipeline.live.feed import Feed
from media_pipeline.live.frames import Opening
from media_pipeline.live.low_encoder import LowEncoder
from media_pipeline.live.low_shelf import Files, Shelf
from media_pipeline.live.parts import Part

log = logging.getLogger(__name__)

GAP_S = 0.8
"""What was held back from viewers is no input either: after such a hole another encoder begins."""
AGAIN_AFTER_S = 1.0
AGAIN_AT_MOST_S = 60.0
RAN_WELL_S = 30.0


class LowRendition:
    """Give it the source's parts by `push`; `stop` ends it. Only for the event loop."""

    def __init__(
        self,
        feed: Feed,
        opening: Opening,
        command: Sequence[str],
        shelf: Shelf,
        files: Files,
        *,
        is_shown: bool = True,
    ) -> None:
        """With `is_shown` false viewers get nothing of it until `show` is called."""
        self.made: Init | None = None
        """The head of what viewers get, once there is one."""
        self.encoder: LowEncoder | None = None
        self._feed = feed
        self._opening = opening
        self._command = command
        self._shelf = shelf
        self._files = files
        self._is_shown = is_shown
        self._is_over = False
        self._head: Init | None = None
        self._is_begun = False
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[bytes] = []
        self._fed_s: float | None = None
        self._out_s = 0.0
        self._not_before = float("-inf")
        self._pause_s = AGAIN_AFTER_S

    @property
    def lag_s(self) -> float:
        """By how many seconds of media the output is behind the input."""
        return max(0.0, self._fed_s - self._out_s) if self._fed_s is not None else 0.0

    def push(self, part: Part) -> None:
        """The next part that viewers of the source were given."""
        if self._is_over:
            return
        if self._fed_s is not None and part.start_s - self._fed_s > GAP_S:
            self._fed_s = None
            self._end_encoder()
        if self._task is None and part.is_key and time.monotonic() >= self._not_before:
            self._out_s, self._fed_s = part.start_s, part.start_s
            self._task = asyncio.create_task(self._encode())
        if self._fed_s is not None:
            self._fed_s = max(self._fed_s, part.end_s)
            self._offer(part.data)

    def show(self) -> None:
        """From its next key frame on viewers may have it."""
        self._is_shown = True

    async def stop(self) -> None:
        """Nothing is left running when this returns; viewers are told."""
        self._is_over = True
        self._end_encoder()
        self._feed.end()
        if self._task is not None:
            await asyncio.wait({self._task})

    def _offer(self, data: bytes) -> None:
        if self.encoder is not None:
            self.encoder.offer(data)
        else:
            self._waiting.append(data)

    def _end_encoder(self) -> None:
        if self.encoder is not None:
            self.encoder.kill()

    async def _encode(self) -> None:
        """The life of one encoder."""
        began_at = time.monotonic()
        encoder = await LowEncoder.start(self._command)
        try:
            if self._is_over or self._fed_s is None:
                return
            encoder.offer(b"".join([self._opening.init, *self._waiting]))
            self.encoder = encoder
            async for item in encoder.output():
                self._came(item)
        except BadBoxes:
            log.exception("a live rendition's encoder makes no sense")
        finally:
            encoder.kill()
            await encoder.reaped()
            self._ended(encoder, time.monotonic() - began_at)

    def _ended(self, encoder: LowEncoder, ran_s: float) -> None:
        """It had a gap in its input, was killed, or failed: another one, later each time."""
        is_new_start = self._fed_s is None
        self.encoder, self._task, self._fed_s = None, None, None
        self._waiting.clear()
        if self._is_over or is_new_start:
            return
        log.warning("the encoder of %s stopped: %s", self._feed.rendition, encoder.said)
        self._pause_s = AGAIN_AFTER_S if ran_s > RAN_WELL_S else self._pause_s
        self._not_before = time.monotonic() + self._pause_s
        self._pause_s = min(AGAIN_AT_MOST_S, self._pause_s * 2)

    def _came(self, item: Init | Part) -> None:
        if self._is_over:
            return
        if isinstance(item, Init):
            self._head, self._is_begun = item, False
            return
        self._out_s = max(self._out_s, item.end_s)
        if self._head is not None and item.is_key and self._is_shown:
            self._begin(self._head)
            self._head = None
        if self._is_begun:
            self._feed.push(item)
            drift_ms = self._feed.drift_ms
            self._files.put_if_in_time(lambda: self._shelf.add(item, drift_ms))

    def _begin(self, head: Init) -> None:
        """Segments begin anew with each encoder; viewers who know the head need no other."""
        self._is_begun = True
        if self.made is None or self.made.data != head.data or not self._feed.is_here:
            started_at = datetime.fromtimestamp(self._opening.wall_start_ms / 1000, UTC)
            self._feed.begin(self._opening.take_id, head.data, head.mime, started_at)
        self.made = head
        zero_ms = self._opening.wall_start_ms
        self._files.put(lambda: self._shelf.begin(head, zero_ms))
