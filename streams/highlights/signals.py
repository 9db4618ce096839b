"""What the highlight finder is given of a show and gives back. Nothing here reads a row."""

from __future__ import annotations

import msgspec


class Bought(msgspec.Struct, frozen=True):
    """One order; `product` is the variant of its dearest or first line, "" where unknown."""

    at_s: float
    product: str = ""


class Question(msgspec.Struct, frozen=True):
    """What a viewer asked; `topic` is one of `topics.TOPICS`, "" for any other."""

    at_s: float
    topic: str = ""


class Shown(msgspec.Struct, frozen=True):
    """A product was pinned, or put on new terms, at this second."""

    at_s: float
    product: str = ""


class Watching(msgspec.Struct, frozen=True):
    """So many people watched at this second."""

    at_s: float
    viewers: int


class Stretch(msgspec.Struct, frozen=True):
    """From one second to another."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


class Signals(msgspec.Struct, frozen=True):
    """A show as the finder sees it.

    All times are seconds of the wall clock since the show began, in any order within a list.
    Orders are those that were not taken back. `chat` is when viewers wrote, questions among it.
    `flashes` are offers that were put on better or shorter terms. In `away` the camera was off:
    no highlight reaches into it. `pauses` (nobody speaks) and `scenes` (the picture changes) come
    from the recording and only move edges; all lists but `orders` may be empty.
    """

    duration_s: float
    orders: tuple[Bought, ...] = ()
    chat: tuple[float, ...] = ()
    questions: tuple[Question, ...] = ()
    pins: tuple[Shown, ...] = ()
    flashes: tuple[Shown, ...] = ()
    viewers: tuple[Watching, ...] = ()
    away: tuple[Stretch, ...] = ()
    pauses: tuple[Stretch, ...] = ()
    scenes: tuple[float, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """Why these seconds: counts beside what this show usually has in as long.

    `orders` were placed in `orders_in_s` seconds, from when the first buyers can have been
    persuaded until the last ones mostly had answered; `usual_orders` is what was to be expected of
    them. `attributed` is how many the model says were bought because of it. `viewers_before` and
    `viewers_after` are 0 where nobody counted.
    """

    orders: int
    orders_in_s: float
    usual_orders: float
    attributed: float
    questions: int
    usual_questions: float
    topic: str
    topic_questions: int
    messages: int
    usual_messages: float
    viewers_before: int
    viewers_after: int
    pinned: bool
    flash: bool


class Highlight(msgspec.Struct, frozen=True):
    """Seconds of the show worth a lesson, 20 to 180 of them; `score` (log-odds) ranks them.

    `product` is the variant that sold there, "" where none stands out. `delay_s` is how long this
    show's buyers typically took.
    """

    start_s: float
    end_s: float
    score: float
    product: str
    delay_s: float
    evidence: Evidence
