"""Viewers who also do something: say, pin, buy. What is not acknowledged they send again."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.chaos.frames import Refusal
from tests.chaos.viewer import Crowd, Viewer

ANSWER_WITHIN_S = 10.0
TRY_AGAIN = {"too_many", "slow_mode", "try_again", "in_progress"}

_numbers = itertools.count(1)


@dataclass(slots=True)
class Wish:
    """One command that must be done exactly once; its key says which one it is."""

    do: str
    data: dict[str, Any]
    text: str
    """What identifies it in the log (chat) or the database (the key of an order)."""
    made_at: float
    sent_at: float = 0.0
    sent_times: int = 0


class Actor(Viewer):
    """Sends its wishes, waits for answers, and sends what was not answered again when back."""

    def __init__(self, crowd: Crowd, person: str) -> None:
        super().__init__(crowd, person)
        self.waiting: dict[str, Wish] = {}
        self.done: list[Wish] = []
        self.refused: list[tuple[Wish, Refusal]] = []
        self._asked: dict[int, str] = {}
        self._id = 0

    def wish(self, key: str, do: str, data: dict[str, Any], text: str) -> None:
        self.waiting[key] = Wish(do, data, text, time.perf_counter())
        self._send(key)

    def entered(self) -> None:
        self._asked.clear()
        for key in list(self.waiting):
            self._send(key)

    def answered(self, number: int | None, ok: object, error: object) -> None:
        key = self._asked.pop(number, None) if number is not None else None
        wish = self.waiting.get(key) if key is not None else None
        if key is None or wish is None:
            return
        if isinstance(error, Refusal):
            self._refuse(key, wish, error)
            return
        del self.waiting[key]
        self.done.append(wish)

    def _refuse(self, key: str, wish: Wish, error: Refusal) -> None:
        self.crowd.count(f"answer {error.code}")
        if error.code in TRY_AGAIN:
            pause_s = max(0.1, error.retry_after or 1.0)
            asyncio.get_running_loop().call_later(pause_s, self._send, key)
            return
        del self.waiting[key]
        self.refused.append((wish, error))

    def check_line(self, now: float) -> None:
        super().check_line(now)
        for key, wish in list(self.waiting.items()):
            if self.is_in and wish.sent_at and now - wish.sent_at > ANSWER_WITHIN_S:
                self.crowd.count("unanswered")
                self._send(key)

    def _send(self, key: str) -> None:
        wish = self.waiting.get(key)
        if wish is None or not self.is_in or self.wire is None:
            return
        self._id += 1
        self._asked[self._id] = key
        wish.sent_at, wish.sent_times = time.perf_counter(), wish.sent_times + 1
        frame = {"id": self._id, "do": wish.do, "data": wish.data}
        self.wire.send(msgspec.json.encode(frame))


@dataclass(slots=True)
class Goods:
    """What is on sale: two offers and where it is picked up."""

    offers: list[tuple[str, int]]
    """(offer id, price in minor units)."""
    pickup: str


class Traffic:
    """The show goes on: people say, the host pins, buyers buy, each at a steady pace."""

    def __init__(
        self, speakers: list[Actor], buyers: list[Actor], host: Actor, goods: Goods
    ) -> None:
        self.speakers, self.buyers, self.host, self.goods = speakers, buyers, host, goods
        self.sent_at: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def actors(self) -> list[Actor]:
        return [*self.speakers, *self.buyers, self.host]

    def begin(self, *, chat_per_s: float, pins_per_s: float, orders_per_s: float) -> None:
        paces: list[tuple[float, Callable[[int], None]]] = [
            (chat_per_s, self._say),
            (pins_per_s, self._pin),
            (orders_per_s, self._buy),
        ]
        self._tasks = [
            asyncio.ensure_future(steadily(pace, act)) for pace, act in paces if pace > 0
        ]

    def pause(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    @property
    def unanswered(self) -> int:
        """Wishes that must still be fulfilled."""
        return sum(len(actor.waiting) for actor in self.actors)

    def _say(self, turn: int) -> None:
        number = next(_numbers)
        text = f"message {number:06d}: how heavy is a box, and when will it come?"
        self.sent_at[text] = time.perf_counter()
        speaker = self.speakers[turn % len(self.speakers)]
        key = f"say-{number}"
        speaker.wish(key, "chat.send", {"text": text, "key": key}, text)

    def _pin(self, turn: int) -> None:
        offer = (*self.goods.offers, None)[turn % (len(self.goods.offers) + 1)]
        key = f"pin-{next(_numbers)}"
        if offer is None:
            self.host.wish(key, "product.unpin", {}, key)
        else:
            self.host.wish(key, "product.pin", {"offer_id": offer[0]}, key)

    def _buy(self, turn: int) -> None:
        offer_id, price_minor = self.goods.offers[turn % len(self.goods.offers)]
        buyer = self.buyers[turn % len(self.buyers)]
        key = f"buy-{next(_numbers)}"
        delivery = {
            "kind": "pickup", "point_id": self.goods.pickup, "name": "Li", "phone": "13800138000",
        }  # fmt: skip
        line = {"offer_id": offer_id, "quantity": 1 + turn % 3, "price_minor": price_minor}
        order = {"key": key, "lines": [line], "delivery": delivery}
        buyer.wish(key, "order.place", order, key)


async def steadily(per_s: float, act: Callable[[int], None]) -> None:
    """Call `act(0)`, `act(1)`, … at this pace; what a busy loop missed is made up for."""
    began = time.perf_counter()
    for turn in itertools.count():
        await asyncio.sleep(max(0.0, began + turn / per_s - time.perf_counter()))
        act(turn)
