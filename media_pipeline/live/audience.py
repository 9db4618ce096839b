"""Who watches one rendition of a show in this process, and what each of them is given.

A part is encoded once and written to every socket without waiting. One that is slow is left out
until it has room at a key frame: it goes on live, owes little, and nobody else notices.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import replace

from core.realtime.frames import Media
from core.realtime.sockets import Socket
from media_pipeline.live import frames
from media_pipeline.live.frames import Opening

GROUP_AT_MOST = 2 * 1024 * 1024
"""Bytes since the last key frame that are kept for newcomers; with more they wait for the next."""
WAITING_AT_MOST = 2 * 1024 * 1024
"""Bytes that may wait for one viewer, whatever the stream's rate."""
BEHIND_AT_MOST_S = 1.5
"""Who is so far behind what was pushed is better off with a jump; a stall makes 0.3 s."""
WAITING_BESIDES = 64 * 1024
CAUGHT_UP = 24 * 1024
"""With so little waiting, a slow viewer can go on: it is about what the kernel keeps unsent."""
GROUP_FRESH_S = 2.0
"""When nothing has been shown for so long, the last group is of a picture that stands."""
STUCK_S = 20.0
QUIET_S = 1.5
TOO_SLOW = 4408

sent: Counter[str] = Counter()
"""Parts written to sockets, by rendition, since the process began."""
skipped: Counter[str] = Counter()
"""Parts left out for viewers who were slow."""


class Viewer:
    """One socket that watches. It is in one audience, and perhaps on its way into another."""

    __slots__ = ("_behind_since", "_grace", "audience", "is_behind", "next", "socket")

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.audience: Audience | None = None
        self.next: Audience | None = None
        self.is_behind = True  # until the first key frame
        self._behind_since = 0.0
        self._grace = 0

    def welcome(self, opening: tuple[Media, Media], group: list[Media]) -> None:
        """Everything from the last key frame on, if that is known; else from the next one on."""
        for frame in (*opening, *group):
            self.socket.pass_on(frame)
        self._grace = sum(frame.size for frame in group)
        self.is_behind, self._behind_since = not group, time.monotonic()

    def take(self, part: Media, room: int, *, is_key: bool) -> bool:
        """Write the part unless this viewer is, or thereby gets, too far behind."""
        owes = self.socket.owes()
        if self.is_behind and (not is_key or owes > CAUGHT_UP):
            self._give_up_if_stuck(owes)
            return False
        if owes <= CAUGHT_UP:
            self._grace = 0
        elif owes + part.size > room + self._grace:
            self.is_behind, self._behind_since = True, time.monotonic()
            return False
        self.is_behind = False
        self.socket.pass_on(part)
        return True

    def _give_up_if_stuck(self, owes: int) -> None:
        if owes > CAUGHT_UP and time.monotonic() - self._behind_since > STUCK_S:
            self.socket.close(TOO_SLOW)


class Audience:
    """The viewers of one rendition, and what a newcomer is given first."""

    def __init__(self, rendition: str) -> None:
        self.rendition = rendition
        self.opening: Opening | None = None
        self.viewers: dict[Viewer, None] = {}
        self._arriving: dict[Viewer, None] = {}
        self._opening_frames: tuple[Media, Media] | None = None
        self._group: list[Media] = []
        self._group_bytes = 0
        self._recent: deque[tuple[float, int]] = deque()
        self._recent_s = 0.0
        self._recent_bytes = 0
        self._said_at = 0.0
        self._shown_at = 0.0

    @property
    def is_on(self) -> bool:
        return self.opening is not None

    @property
    def is_wanted(self) -> bool:
        return bool(self.viewers or self._arriving)

    @property
    def group(self) -> list[Media]:
        """The parts since the last key frame, if they are few enough to be kept, and live."""
        is_fresh = time.monotonic() - self._shown_at < GROUP_FRESH_S
        return list(self._group) if is_fresh else []

    # The picture

    def open(self, opening: Opening) -> None:
        """Another take; its first part that is a key frame follows."""
        self._forget()
        self.opening, self._opening_frames = opening, opening.frames(self.rendition)
        self._say_all(*self._opening_frames)

    def drifted(self, drift_ms: float) -> None:
        """Only what is told of the take's wall times changes: its media stay where they are."""
        if self.opening is None or self.opening.drift_ms == drift_ms:
            return
        self.opening = replace(self.opening, drift_ms=drift_ms)
        self._opening_frames = self.opening.frames(self.rendition)
        self.say(frames.drift(drift_ms))

    def show(self, part: Media, duration_s: float, *, is_key: bool) -> None:
        """Give the part to everybody who can take it."""
        self._shown_at = time.monotonic()
        self._keep(part, is_key=is_key)
        room = self._room(part, duration_s)
        if is_key:
            for viewer in list(self._arriving):
                self._move_in(viewer)
        given = 0
        for viewer in self.viewers:
            given += viewer.take(part, room, is_key=is_key)
        sent[self.rendition] += given
        skipped[self.rendition] += len(self.viewers) - given
        self._said_at = time.monotonic()

    def close(self) -> None:
        """No picture now."""
        self._forget()
        self.opening = self._opening_frames = None
        self._say_all(frames.OFF)

    # Viewers

    def join(self, viewer: Viewer) -> None:
        """Begin to watch, at the last key frame."""
        viewer.audience = self
        self.viewers[viewer] = None
        if self._opening_frames is not None:
            viewer.welcome(self._opening_frames, self.group)
        else:
            viewer.socket.pass_on(frames.OFF)

    def switch(self, viewer: Viewer) -> None:
        """Go over to this rendition at its next key frame; until then the old one goes on."""
        if viewer.next is not None:
            viewer.next.forget_arrival(viewer)
        viewer.next = None
        if viewer.audience is not self:
            viewer.next = self
            self._arriving[viewer] = None

    def leave(self, viewer: Viewer) -> None:
        self.viewers.pop(viewer, None)
        viewer.audience = None

    def forget_arrival(self, viewer: Viewer) -> None:
        self._arriving.pop(viewer, None)

    def say(self, frame: Media) -> None:
        """Tell all a short text; who owes something hears it later than it is true, or not."""
        for viewer in self.viewers:
            viewer.socket.pass_on(frame)

    def beat(self) -> None:
        """Let players know the line is alive, if they have heard nothing for a while."""
        if time.monotonic() - self._said_at < QUIET_S:
            return
        frame = frames.now()
        for viewer in self.viewers:
            if not viewer.socket.owes():
                viewer.socket.pass_on(frame)
        self._said_at = time.monotonic()

    # Inside

    def _move_in(self, viewer: Viewer) -> None:
        """Its first part is the key frame that is just about to be shown."""
        self.forget_arrival(viewer)
        if viewer.audience is not None:
            viewer.audience.leave(viewer)
        viewer.audience, viewer.next = self, None
        self.viewers[viewer] = None
        if self._opening_frames is not None:
            viewer.welcome(self._opening_frames, [])

    def _say_all(self, *said: Media) -> None:
        for viewer in self.viewers:
            viewer.is_behind = True
            for frame in said:
                viewer.socket.pass_on(frame)
        self._said_at = time.monotonic()

    def _forget(self) -> None:
        self._group, self._group_bytes = [], 0
        self._recent.clear()
        self._recent_s, self._recent_bytes = 0.0, 0

    def _keep(self, part: Media, *, is_key: bool) -> None:
        if is_key:
            self._group, self._group_bytes = [part], part.size
        elif self._group:
            self._group.append(part)
            self._group_bytes += part.size
        if self._group_bytes > GROUP_AT_MOST:
            self._group, self._group_bytes = [], 0

    def _room(self, part: Media, duration_s: float) -> int:
        """How many bytes may wait for one viewer: those of the last moments, within bounds."""
        self._recent.append((duration_s, part.size))
        self._recent_s += duration_s
        self._recent_bytes += part.size
        while self._recent and self._recent_s - self._recent[0][0] >= BEHIND_AT_MOST_S:
            gone_s, gone = self._recent.popleft()
            self._recent_s -= gone_s
            self._recent_bytes -= gone
        return min(WAITING_AT_MOST, WAITING_BESIDES + self._recent_bytes)


def leave(viewer: Viewer) -> None:
    """The viewer is gone. Doing it twice does no harm."""
    if viewer.next is not None:
        viewer.next.forget_arrival(viewer)
        viewer.next = None
    if viewer.audience is not None:
        viewer.audience.leave(viewer)
