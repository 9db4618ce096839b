"""Two hundred buyers of a hundred boxes, who write down what they ask and what they are told.

A buyer whose line breaks asks again with the same key until there is an answer. Some press twice,
order from two devices at once, ask again after an answer, cancel, pay, pay late, or let it be.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tests.chaos.orders_lines import Answer, Cut, HttpLine, Json, Line, RoomLine, Unknown
from tests.chaos.orders_till import Till
from tests.stripe_server import Refused

DELIVERY = {
    "kind": "courier",
    "name": "Li",
    "phone": "13800138000",
    "region": "",
    "address": "8 River Street",
}
TRY_AGAIN = {"try_again", "too_many", "slow_mode", "in_progress", "payment_service_away"}
FAULTY = 500
TRIES_WITHIN_S = 240.0


class GaveUp(Exception):
    """Nobody answered a buyer for four minutes."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How often (0..1) a buyer does what."""

    cuts: float = 0.14
    twins: float = 0.08
    double_taps: float = 0.08
    asks_again: float = 0.1
    online: float = 0.35
    keeps: float = 0.02
    pauses_s: float = 0.25
    goods: str = ""
    """What everybody wants, one or two of it; "": some of this and some of that."""


@dataclass
class Crowd:
    """What all buyers share."""

    scene: Json
    ports: list[int]
    journal: TextIO
    till: Till
    attempts: int
    habits: Habits
    counts: dict[str, int] = field(default_factory=dict)
    begun: int = 0
    answered: int = 0

    @classmethod
    def open(
        cls, scene: Json, ports: list[int], journal: Path, till: Till, attempts: int, habits: Habits
    ) -> Crowd:
        # A line at a time is with the system, whatever becomes of this process.
        return cls(scene, ports, journal.open("a", buffering=1), till, attempts, habits)

    def note(self, what: str, **said: Any) -> None:
        line = {"at": round(time.time(), 4), "what": what, **said}
        self.journal.write(json.dumps(line, separators=(",", ":")) + "\n")

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def take_attempts(self, count: int) -> bool:
        if self.begun + count > self.attempts:
            return False
        self.begun += count
        return True


class Buyer:
    """One person with two devices, each with a line for HTTP and one into the room."""

    def __init__(self, number: int, crowd: Crowd, seed: int) -> None:
        self.crowd = crowd
        self.person = crowd.scene["people"][number]
        self.luck = random.Random(f"{seed}/{number}")
        session = crowd.scene["sessions"][number]
        self.http = [HttpLine(session) for _device in range(2)]
        self.room = [RoomLine(session, crowd.scene["show"]) for _device in range(2)]
        self.in_room = number % 2 == 0
        self.keys = 0

    @property
    def lines(self) -> list[Line]:
        return [*self.http, *self.room]

    async def live(self) -> None:
        """Attempts, one after the other or two at once, for as long as the crowd has any left."""
        await asyncio.sleep(self.luck.uniform(0, self.crowd.habits.pauses_s))
        while True:
            wishes = [self._wish() for _ in range(2 if self._likely("twins") else 1)]
            if not self.crowd.take_attempts(len(wishes)):
                break
            if len(wishes) > 1:
                async with asyncio.TaskGroup() as devices:
                    for device, wish in enumerate(wishes):
                        devices.create_task(self._attempt(wish, [device]))
            else:
                await self._attempt(wishes[0], [0, 1] if self._likely("double_taps") else [0])
        for line in self.lines:
            line.drop()

    async def buy_what_is_left(self, wish: Json) -> bool:
        """Whether one more was ordered, in cash and to be kept."""
        answer = await self._order(self._key(), wish, device=0)
        return answer.status == 201

    def one_of(self, goods: str, quantity: int = 1) -> Json:
        """A line of "apples", "pears" or "pears_variant", as the product takes it."""
        scene = self.crowd.scene
        named = "variant_id" if goods == "pears_variant" else "offer_id"
        price = scene[f"{goods}_minor"]
        return {named: scene[goods], "quantity": quantity, "price_minor": price}

    def wish_of(self, lines: list[Json], method: str = "cash_on_delivery") -> Json:
        total = sum(one["quantity"] * one["price_minor"] for one in lines)
        return {
            "lines": lines,
            "delivery": DELIVERY,
            "total_minor": total,
            "payment_method": method,
        }

    def _likely(self, habit: str) -> bool:
        chance: float = getattr(self.crowd.habits, habit)
        return self.luck.random() < chance

    def _wish(self) -> Json:
        choice, quantity = self.luck.random(), self.luck.choice((1, 1, 1, 2))
        if goods := self.crowd.habits.goods:
            lines = [self.one_of(goods, quantity)]
        elif choice < 0.5:
            lines = [self.one_of("apples", quantity)]
        elif choice < 0.7:
            lines = [self.one_of("pears", quantity)]
        elif choice < 0.85:
            lines = [self.one_of("pears"), self.one_of("apples")]
            self.luck.shuffle(lines)
        else:
            lines = [self.one_of("pears_variant", quantity)]
        return self.wish_of(lines, "online" if self._likely("online") else "cash_on_delivery")

    def _key(self) -> str:
        self.keys += 1
        return f"intent-{self.keys}-{self.luck.getrandbits(32):08x}"

    async def _attempt(self, wish: Json, devices: list[int]) -> None:
        """One intent: asked for from each of these devices at once, and perhaps once more."""
        key, device = self._key(), devices[0]
        answers = await asyncio.gather(*(self._order(key, wish, one) for one in devices))
        if self._likely("asks_again"):
            answers.append(await self._order(key, wish, device))
        self.crowd.answered += 1
        placed = next((one.body for one in answers if one.status == 201), None)
        if placed is None:
            await self._wait()
        elif not self._likely("keeps"):
            await self._get_rid_of(placed, device)

    async def _order(self, key: str, wish: Json, device: int) -> Answer:
        """Ask until there is an answer, by whatever line there is."""
        self.crowd.note("asks", buyer=self.person, key=key, wish=wish)
        cut = Cut.draw(self.luck) if self._likely("cuts") else None
        give_up_at = time.monotonic() + TRIES_WITHIN_S
        while time.monotonic() < give_up_at:
            answer = await self._ask_once(key, wish, device, cut)
            if answer is not None:
                return answer
            cut = Cut.draw(self.luck) if cut and self.luck.random() < 0.3 else None
            await asyncio.sleep(self.luck.uniform(0.02, 0.15))
        raise GaveUp(f"{self.person} {key}")

    async def _ask_once(self, key: str, wish: Json, device: int, cut: Cut | None) -> Answer | None:
        by_room = self.in_room if self.luck.random() < 0.9 else not self.in_room
        port = self.luck.choice(self.crowd.ports)
        self.crowd.note("sends", buyer=self.person, key=key, by="room" if by_room else "http")
        try:
            answer = await (
                self.room[device].exchange(port, {"key": key, **wish}, cut)
                if by_room
                else self.http[device].exchange(port, self._post_order(key, wish), cut)
            )
        except Unknown as error:
            self.crowd.note("hears nothing", buyer=self.person, key=key, why=str(error))
            return None
        if answer.status == 201:
            told = {name: answer.body[name] for name in ("id", "number", "total_minor", "state")}
            self.crowd.note("ordered", buyer=self.person, key=key, order=told)
            return answer
        if answer.code in TRY_AGAIN or answer.status >= FAULTY:
            self.crowd.note("told to wait", buyer=self.person, key=key, code=answer.code)
            self.crowd.count(f"told to wait: {answer.code}")
            return None
        self.crowd.note("refused", buyer=self.person, key=key, code=answer.code)
        return answer

    def _post_order(self, key: str, wish: Json) -> Json:
        body = {"show_id": self.crowd.scene["show"], **wish}
        return {"method": "POST", "path": "/api/v1/orders", "key": key, "body": body}

    async def _get_rid_of(self, order: Json, device: int) -> None:
        """So that others can have it: most is cancelled, not paid, or paid and cancelled."""
        await self._wait()
        if order["state"] != "held":
            await self._cancel(order, device)
            return
        choice = self.luck.random()
        if choice < 0.2:
            await self._cancel(order, device)
        elif choice < 0.75:
            await self._pay(order, device)

    async def _pay(self, order: Json, device: int) -> None:
        """At once, after a while, or when it is too late; and then cancel it, as a rule."""
        answer = await self._ask("POST", f"/api/v1/orders/{order['id']}/payments", None, device)
        if answer is None or answer.status != 201 or not answer.body["redirect"]:
            return
        session = answer.body["redirect"].rsplit("/", 1)[1]
        if self.luck.random() < 0.25:
            await self._cancel(order, device)  # in one window; and pays in the other
        await asyncio.sleep(self.luck.choice((0.0, 0.3, 1.5)) * self.luck.random())
        if self.luck.random() < 0.15:
            return
        try:
            await asyncio.to_thread(self.crowd.till.pay, session)
        except Refused:
            return
        self.crowd.note("paid", buyer=self.person, order=order["id"], session=session)
        if self.luck.random() < 0.3:  # the way back from the bank's page
            await self._ask("GET", f"/orders/{order['id']}/paid/", None, device)
        await self._wait()
        if not self._likely("keeps"):
            await self._cancel(order, device)

    async def _cancel(self, order: Json, device: int) -> None:
        path = f"/api/v1/orders/{order['id']}/moves"
        answer = await self._ask("POST", path, {"to": "cancelled"}, device)
        if answer is not None and answer.body.get("state") == "cancelled":
            self.crowd.note("cancelled", buyer=self.person, order=order["id"])

    async def _ask(self, method: str, path: str, body: Json | None, device: int) -> Answer | None:
        """Ask until there is an answer."""
        give_up_at = time.monotonic() + TRIES_WITHIN_S
        request = {"method": method, "path": path, "body": body}
        while time.monotonic() < give_up_at:
            cut = Cut.draw(self.luck) if self._likely("cuts") else None
            try:
                port = self.luck.choice(self.crowd.ports)
                answer = await self.http[device].exchange(port, request, cut)
            except Unknown:
                await asyncio.sleep(self.luck.uniform(0.02, 0.15))
                continue
            if answer.code not in TRY_AGAIN and answer.status < FAULTY:
                return answer
            self.crowd.count(f"told to wait: {method} {answer.code}")
            await asyncio.sleep(self.luck.uniform(0.05, 0.3))
        raise GaveUp(f"{self.person} {method} {path}")

    async def _wait(self) -> None:
        await asyncio.sleep(self.luck.uniform(0, self.crowd.habits.pauses_s))
