"""A trainee's practice, filmed while the demo is open: it then waits for Chen's review.

It is a real one, before simulated buyers who take their time, so it comes after the first page.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from core.accounts.models import User
from core.errors import AppError
from core.realtime import tickets
from core.realtime.db import run_in_db
from courses.models import Enrolment
from courses.practice import services
from courses.practice.models import Attempt, AttemptState, PracticeTask
from livecommerce.demo.learning import COHORT, PRACTISED
from streams.broadcast import BroadcastFailed, broadcast
from streams.client import Refused, RoomClient, RoomClosed
from streams.models import Show
from streams.services import ingest_keys
from streams.services.shows import end_show

log = logging.getLogger(__name__)

LASTS_S = 45.0
LOOKS_EVERY_S = 1.0
FIRST_PICTURE_WITHIN_S = 30.0
SECOND_GOOD_AFTER_S = 20.0
WAYS_TO_BREAK = (BroadcastFailed, RoomClosed, Refused, AppError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Practice:
    """An attempt that is open, its show, and who holds it."""

    attempt: Attempt
    show: Show
    user: User


async def hold_practice(video: Path, server: str) -> None:
    """Practise once and hand it in; nothing where that was done before. `server` is host:port.

    What breaks it off is logged: the next start of the demo tries again.
    """
    practice = await run_in_db(_open)
    if practice is None:
        return
    try:
        await _film(practice, video, server)
        await run_in_db(_hand_in, practice)
    except* WAYS_TO_BREAK as errors:
        log.warning("the demo's practice broke off: %s", errors.exceptions)
        await run_in_db(services.give_up, practice.attempt)


def _open() -> Practice | None:
    user = User.objects.filter(username=PRACTISED).first()
    found = Enrolment.objects.filter(user=user, course__cohorts__name=COHORT).first()
    if user is None or found is None:
        return None
    task = PracticeTask.objects.filter(lesson__course=found.course).first()
    if task is None:
        return None
    before = services.attempts_of(task, found)
    for left_over in before.filter(state__in=services.GOING_ON):
        services.give_up(left_over)
    if before.exclude(state=AttemptState.ABANDONED).exists():
        return None
    attempt = services.open_attempt(task, found)
    return Practice(attempt, Show.objects.get(public_id=attempt.show_id), user)


async def _film(practice: Practice, video: Path, server: str) -> None:
    show = practice.show
    async with asyncio.TaskGroup() as group:
        camera = group.create_task(
            broadcast(
                video,
                show_id=show.public_id,
                key=ingest_keys.issue(show),
                url=f"http://{server}",
                loop=True,
                duration_s=LASTS_S,
            )
        )
        hosting = group.create_task(_host(practice, f"ws://{server}"))
        await camera
        hosting.cancel()


async def _host(practice: Practice, server: str) -> None:
    """Talk all the time, show one good and then the other, and answer whatever is asked."""
    ticket = tickets.issue(practice.user.public_id)
    async with RoomClient(server, practice.show.public_id, ticket=ticket) as room:
        if room.snapshot["show"]["state"] != "live":
            await room.event("show.started", patience_s=FIRST_PICTURE_WITHIN_S)
        first, second = room.snapshot["offers"][:2]
        await room.command("product.pin", offer_id=first["id"])
        await room.command("chat.send", text="Welcome! Picked this morning. 欢迎，今早现摘！")
        since = asyncio.get_running_loop().time()
        answered: set[str] = set()
        while True:
            await room.command("host.voice", is_heard=True)
            await _answer(room, answered)
            if second and asyncio.get_running_loop().time() - since > SECOND_GOOD_AFTER_S:
                await room.command("product.pin", offer_id=second["id"])
                second = None
            await asyncio.sleep(LOOKS_EVERY_S)


async def _answer(room: RoomClient, answered: set[str]) -> None:
    """One question at a time, as somebody who talks does."""
    for event in room.events:
        said = event["data"]
        is_open = event["type"] == "chat.message" and said.get("question")
        if is_open and event["id"] not in answered:
            answered.add(event["id"])
            await room.command("chat.answer", id=event["id"])
            return


def _hand_in(practice: Practice) -> None:
    end_show(practice.show.public_id, practice.user)
    services.catch_up(practice.attempt)
    services.submit(practice.attempt)
