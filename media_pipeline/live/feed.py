"""From the camera of a show to its viewers in this process, and by the relay to those elsewhere.

The camera's side is three calls, in the event loop, none of which waits: `begin` a take, `push`
its parts, `end` it. Parts that are late because the network was away belong into the recording:
they are held back from viewers (`pace`), who go on at the next key frame.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakValueDictionary

from core.realtime.frames import Media
from media_pipeline.live import frames
from media_pipeline.live.audience import Audience, Viewer
from media_pipeline.live.frames import Opening
from media_pipeline.live.pace import Pace
from media_pipeline.live.parts import Part

SOURCE = "source"
RENDITIONS = (SOURCE, "low", "audio")
BEAT_S = 0.5


class Relay(Protocol):
    """What brings parts from process to process."""

    def began(self, feed: Feed) -> None: ...

    def passed(self, feed: Feed, payload: bytes, duration_s: float, *, is_key: bool) -> None: ...

    def ended(self, feed: Feed, opening: Opening) -> None: ...

    def drifted(self, feed: Feed) -> None:
        """Its opening says another drift."""

    def late(self, feed: Feed) -> None:
        """Its camera sends what it kept, which is not shown."""

    def offered(self, show_id: UUID) -> None:
        """What can be watched of a show whose camera is here has changed."""

    def wanted(self, feed: Feed) -> None:
        """Somebody watches here and the camera is not here."""

    def unwanted(self, feed: Feed) -> None:
        """Nobody watches here any more, or the camera has come here."""


class Follower(Protocol):
    """Who makes other renditions of the sources whose cameras are here. No call waits."""

    def began(self, feed: Feed, opening: Opening) -> None: ...

    def passed(self, feed: Feed, part: Part) -> None:
        """A part that viewers of the source were given just now."""

    def ended(self, feed: Feed) -> None: ...


class Feed:
    """One rendition of one show in this process."""

    def __init__(self, feeds: Feeds, show_id: UUID, rendition: str) -> None:
        self.show_id = show_id
        self.rendition = rendition
        self.audience = Audience(rendition)
        self.is_here = False
        """Whether its camera is in this process."""
        self._feeds = feeds
        self._started_ms = 0.0
        self._pace = Pace()
        self._needs_key = True
        self._is_late = False

    @property
    def is_on(self) -> bool:
        return self.audience.is_on

    @property
    def drift_ms(self) -> float:
        opening = self.audience.opening
        return opening.drift_ms if opening is not None else 0.0

    # The camera's side

    def begin(self, take_id: UUID, init: bytes, mime: str, started_at: datetime) -> None:
        """A take begins. `started_at` is the wall time of its media zero by this machine's clock;
        `mime` is what `MediaSource.isTypeSupported` is asked, codecs included."""
        self.is_here, self._needs_key, self._pace = True, True, Pace()
        self._feeds.keep(self)
        self._started_ms = started_at.timestamp() * 1000
        opening = Opening.of(take_id, init, mime, started_at)
        if self.rendition != SOURCE:
            opening = replace(opening, drift_ms=self._feeds.drift_ms(self.show_id, take_id))
        self.open(opening)
        if (relay := self._feeds.relay) is not None:
            relay.unwanted(self)
            relay.began(self)
        if (follower := self._follower) is not None:
            follower.began(self, opening)

    def push(self, part: Part) -> bool:
        """The next part of the take, in order; shown unless it is old. Whether it was."""
        if not self.is_here:
            return False
        place_ms = self._started_ms + part.start_s * 1000
        # Not by the drift: what becomes known of the clock must not look like a line that is late.
        lag_s = time.time() - place_ms / 1000 - part.duration_s
        if self._pace.is_backlog(lag_s, time.monotonic()):
            if not self._is_late:
                self._feeds.are_late(self.show_id)
            self._is_late = self._needs_key = True
            return False
        self._is_late = False
        if self._needs_key and not part.is_key:
            return False
        self._needs_key = False
        wall_ms = place_ms + self.drift_ms
        payload = frames.part_payload(part.data, wall_ms, is_key=part.is_key)
        self.show(payload, part.duration_s, is_key=part.is_key)
        if (relay := self._feeds.relay) is not None:
            relay.passed(self, payload, part.duration_s, is_key=part.is_key)
        if (follower := self._follower) is not None:
            follower.passed(self, part)
        return True

    def drifted(self, drift_ms: float) -> None:
        """The camera's clock is found to be so far off since the take began, all renditions'."""
        self._feeds.have_drifted(self.show_id, drift_ms)

    def end(self) -> None:
        """The take is over. Doing it twice does no harm."""
        if not self.is_here:
            return
        self.is_here, opening = False, self.audience.opening
        self.close()
        self._feeds.let_go(self)
        if (follower := self._follower) is not None:
            follower.ended(self)
        if (relay := self._feeds.relay) is not None and opening is not None:
            relay.ended(self, opening)
            if self.audience.is_wanted:
                relay.wanted(self)

    @property
    def _follower(self) -> Follower | None:
        return self._feeds.follower if self.rendition == SOURCE else None

    # The viewers' side

    def join(self, viewer: Viewer) -> None:
        self.audience.join(viewer)
        self._feeds.watched(self)

    def switch(self, viewer: Viewer) -> None:
        self.audience.switch(viewer)
        self._feeds.watched(self)

    # Both sides: what the relay does with what came from elsewhere

    def open(self, opening: Opening) -> None:
        was_on = self.is_on
        self.audience.open(opening)
        if not was_on:
            self._feeds.tell_renditions(self.show_id)

    def show(self, payload: bytes, duration_s: float, *, is_key: bool) -> None:
        self.audience.show(Media(payload), duration_s, is_key=is_key)

    def tell_drift(self, drift_ms: float) -> None:
        """Of this rendition, to its viewers and to those elsewhere."""
        self.audience.drifted(drift_ms)
        if self.is_here and (relay := self._feeds.relay) is not None:
            relay.drifted(self)

    def be_late(self) -> None:
        """Tell viewers that the camera is back, but not yet the picture."""
        self.audience.say(frames.LATE)
        if self.is_here and (relay := self._feeds.relay) is not None:
            relay.late(self)

    def close(self) -> None:
        if self.is_on:
            self.audience.close()
            self._feeds.closed(self)


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be watched of a show whose camera is in another process."""

    renditions: list[str]
    poster: dict[str, Any] | None


class Feeds:
    """All feeds of this process. A feed is forgotten when it is off and nobody has it."""

    def __init__(self) -> None:
        self.relay: Relay | None = None
        self.follower: Follower | None = None
        self._feeds: WeakValueDictionary[tuple[UUID, str], Feed] = WeakValueDictionary()
        self._here: set[Feed] = set()
        self._watched: set[Feed] = set()
        self._posters: dict[UUID, dict[str, Any]] = {}
        self._offers: dict[UUID, Offer] = {}
        self._beating: asyncio.TimerHandle | None = None

    def feed(self, show_id: UUID, rendition: str = SOURCE) -> Feed:
        """The one feed of this rendition; raises `KeyError` for one that there never is."""
        if rendition not in RENDITIONS:
            raise KeyError(rendition)
        found = self._feeds.get((show_id, rendition))
        if found is None:
            found = self._feeds[show_id, rendition] = Feed(self, show_id, rendition)
        return found

    def __iter__(self) -> Iterator[Feed]:
        """Also from another thread, as for the metrics."""
        found = (reference() for reference in self._feeds.valuerefs())
        return iter([feed for feed in found if feed is not None])

    def renditions(self, show_id: UUID) -> list[str]:
        """What of the show can be watched now."""
        if (offer := self._offer(show_id)) is not None:
            return offer.renditions
        known = ((one, self._feeds.get((show_id, one))) for one in RENDITIONS)
        return [one for one, feed in known if feed is not None and feed.is_on]

    def poster(self, show_id: UUID) -> dict[str, Any] | None:
        offer = self._offer(show_id)
        return self._posters.get(show_id) if offer is None else offer.poster

    def offer_elsewhere(
        self, show_id: UUID, renditions: list[str], poster: dict[str, Any] | None
    ) -> None:
        """What the process with the camera says can be watched there, and so here."""
        offer = Offer(renditions, poster) if renditions else None
        if self._offers.get(show_id) == offer:
            return
        if offer is None:
            del self._offers[show_id]
        else:
            self._offers[show_id] = offer
        self.tell_renditions(show_id)

    def set_poster(self, show_id: UUID, url: str | None, every_s: float = 4.0) -> None:
        """Where a picture of the show is that is written anew every few seconds; `None`: nowhere.

        Told to players with the renditions.
        """
        if url is None:
            self._posters.pop(show_id, None)
        else:
            self._posters[show_id] = {"url": url, "every_s": every_s}
        self.tell_renditions(show_id)

    def _offer(self, show_id: UUID) -> Offer | None:
        is_here = any(feed.is_here for feed in self._of_show(show_id))
        return None if is_here else self._offers.get(show_id)

    # For feeds

    def closed(self, feed: Feed) -> None:
        """A feed is off; with the last of a show elsewhere its offer is gone."""
        if not any(one.is_on for one in self._of_show(feed.show_id)):
            self._offers.pop(feed.show_id, None)
        self.tell_renditions(feed.show_id)

    def keep(self, feed: Feed) -> None:
        self._here.add(feed)

    def let_go(self, feed: Feed) -> None:
        self._here.discard(feed)

    def tell_renditions(self, show_id: UUID) -> None:
        told = frames.text_frame(renditions=self.renditions(show_id), poster=self.poster(show_id))
        for feed in self._of_show(show_id):
            feed.audience.say(told)
        if self.relay is not None:
            self.relay.offered(show_id)

    def are_late(self, show_id: UUID) -> None:
        """The camera of the show is back and sends what it kept."""
        for feed in self._of_show(show_id):
            feed.be_late()

    def have_drifted(self, show_id: UUID, drift_ms: float) -> None:
        """What is made of the camera's picture here has its clock too."""
        for feed in self._of_show(show_id):
            if feed.is_here:
                feed.tell_drift(drift_ms)

    def drift_ms(self, show_id: UUID, take_id: UUID) -> float:
        """What is known of a take's by now, for another rendition of it."""
        source = self._feeds.get((show_id, SOURCE))
        opening = source.audience.opening if source is not None else None
        return opening.drift_ms if opening is not None and opening.take_id == take_id else 0.0

    def watched(self, feed: Feed) -> None:
        """Somebody joined it."""
        self._watched.add(feed)
        if self.relay is not None and not feed.is_here:
            self.relay.wanted(feed)
        if self._beating is None:
            self._beating = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _of_show(self, show_id: UUID) -> list[Feed]:
        known = [self._feeds.get((show_id, one)) for one in RENDITIONS]
        return [feed for feed in known if feed is not None]

    def _beat(self) -> None:
        """Twice a second while anybody watches here."""
        self._beating = None
        for feed in list(self._watched):
            feed.audience.beat()
            if not feed.audience.is_wanted:
                self._forget(feed)
        if self._watched:
            self._beating = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _forget(self, feed: Feed) -> None:
        self._watched.discard(feed)
        if self.relay is not None:
            self.relay.unwanted(feed)


feeds = Feeds()
