"""Moves the simulated buyers of practices that are on: in each web process, one at a time each.

They act through what people act through: messages into the room's log, orders by the committer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from uuid import UUID, uuid4

from django.db import DatabaseError
from django.utils import translation

from core.accounts.models import User
from core.errors import AppError
from core.realtime import tasks
from core.realtime.db import run_in_db
from core.realtime.log import Entry, LogClosed, LogUnavailable, Position
from core.realtime.runtime import Runtime
from courses.practice import playing, sandbox
from courses.practice.models import Act, Attempt
from orders.services.place import place_order_soon
from streams.services import chat

log = logging.getLogger(__name__)

EVERY_S = 1.0
IDLE_S = 2.0
"""While nobody practises: so much later, at most, do the first buyers come."""
READ_AT_MOST = 500
AWAY = (DatabaseError, LogUnavailable, LogClosed)


class Practices:
    """All practices whose buyers this process moves."""

    def __init__(self, running: Runtime) -> None:
        self._running = running
        self._holder = uuid4()
        self._moving: asyncio.Task[None] | None = None
        self._has_moved = False

    def start(self) -> None:
        self._moving = asyncio.create_task(self._move_forever(), name="simulated-buyers")

    async def stop(self) -> None:
        await tasks.end(self._moving)
        if not self._has_moved:
            return
        try:
            await run_in_db(playing.let_go, self._holder)
        except DatabaseError:  # the hold ends by itself
            log.warning("practices could not be let go", exc_info=True)

    async def _move_forever(self) -> None:
        while True:
            moved = False
            try:
                moved = await self.move()
            except AWAY:  # a second later it is tried again
                log.warning("simulated buyers could not be moved", exc_info=True)
            await asyncio.sleep(EVERY_S if moved else IDLE_S)

    async def move(self) -> bool:
        """One step of each practice that is ours; whether there was one."""
        live = await run_in_db(playing.live_attempts)
        ours = [pk for pk in live if await run_in_db(playing.claim, pk, self._holder)]
        self._has_moved |= bool(ours)
        for attempt_pk in ours:
            await self._step(attempt_pk)
        return bool(ours)

    async def _step(self, attempt_pk: int) -> None:
        topic, heard = await run_in_db(playing.heard_upto, attempt_pk)
        entries, here = await self._read(topic, heard)
        step = await run_in_db(playing.advance, attempt_pk, self._holder, entries, here)
        if step is None:
            return
        if step.acts:
            attempt, people = await run_in_db(_cast, attempt_pk)
            for act in step.acts:
                await self._do(attempt, people, act)
        if step.is_over:
            await run_in_db(playing.end, attempt_pk)

    async def _read(self, topic: str, heard: Position | None) -> tuple[list[Entry], Position]:
        """What the log has since; after a loss of history, from now on."""
        end = await self._running.log.tail(topic)
        if heard is None or heard.epoch != end.epoch:
            return [], end
        if heard.seq >= end.seq:
            return [], heard
        stretch = await self._running.log.read(topic, heard, READ_AT_MOST)
        if not stretch.complete or not stretch.entries:
            return [], end
        entries = list(stretch.entries)
        return entries, Position(end.epoch, entries[-1].seq)

    async def _do(self, attempt: Attempt, people: Mapping[str, User], act: Act) -> None:
        """Once, however often it is tried: messages and orders go by the act's own key."""
        user, key = people[act.persona], f"practice-{attempt.public_id}-{act.number}"
        message_id: UUID | None = None
        refusal = ""
        try:
            if act.kind == "order":
                await self._order(attempt, user, act, key)
            else:
                message_id = await self._say(attempt, user, str(act.detail["text"]), key)
        except AppError as error:  # sold out, muted, sent away: as it is for people
            refusal = error.code
        await run_in_db(playing.done, act, message_id=message_id, refusal=refusal)

    async def _say(self, attempt: Attempt, user: User, text: str, key: str) -> UUID | None:
        found = await run_in_db(chat.standings, attempt.show_id, [user.pk])
        entry = chat.compose(found[user.pk], text, key)
        await chat.slow_down(self._running.shared, found[user.pk])
        await self._running.log.append(f"show:{attempt.show_id}", [entry])
        return entry.fact_id

    async def _order(self, attempt: Attempt, user: User, act: Act, key: str) -> None:
        line = {
            "offer_id": act.detail["offer"],
            "quantity": act.detail["quantity"],
            "price_minor": act.detail["price_minor"],
        }
        with translation.override("zh-hans" if attempt.language == "zh" else "en"):
            await place_order_soon(
                buyer=user,
                key=key[:64],
                show_id=attempt.show_id,
                lines=[line],
                delivery=sandbox.address(act.persona, attempt.language),
            )


def _cast(attempt_pk: int) -> tuple[Attempt, dict[str, User]]:
    attempt = Attempt.objects.get(pk=attempt_pk)
    return attempt, sandbox.simulated_buyers(attempt.language)
