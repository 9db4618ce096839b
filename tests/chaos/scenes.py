"""What goes wrong, scene by scene, and what is measured of it.

Each fault returns two moments (`time.perf_counter`): when it began, and when the way was open
again, from which everybody has to be back within ten seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from core.accounts.models import User
from core.realtime.db import run_in_db
from orders.models import Offer
from streams.models import Show
from streams.services import pins
from tests.chaos import stalled, truth
from tests.chaos.stage import Stage, until
from tests.chaos.viewer import Rules
from tests.redis_server import redis_server

BACK_WITHIN_S = 40.0  # after this we no longer wait for those who are not back
A_SECOND = 1.0

# What a process asks once, or every few seconds, for everybody in a room (`streams/door.py`,
# `streams/services/reactions.py`), and for all rooms (`core/accounts/changes.py` every second).
ASKED_FOR_A_ROOM = {"audience_of", "who_must_go", "Door.look", "_stored", "_raise"}
ASKED_FOR_ALL = {"seal_leftovers", "note_viewers", "recent", "live_attempts"}

Figures = dict[str, object]
Fault = Callable[[Stage], Awaitable[tuple[float, float]]]


async def server_killed(stage: Stage) -> tuple[float, float]:
    """SIGKILL, and a new process on the same data and port."""
    cut_at = time.perf_counter()
    stage.served.kill()
    await asyncio.to_thread(stage.served.start)
    return cut_at, time.perf_counter()


async def half_open(stage: Stage) -> tuple[float, float]:
    """Every viewer's connection swallows all, both ways, and says nothing; new ones work."""
    assert stage.proxy is not None
    cut_at = time.perf_counter()
    await stage.proxy.tell("half-open")
    return cut_at, time.perf_counter()


async def redis_killed(stage: Stage) -> tuple[float, float]:
    """SIGKILL; what it had written to disk is there again."""
    assert stage.redis is not None
    cut_at = time.perf_counter()
    stage.redis.kill()
    await asyncio.sleep(A_SECOND)
    await asyncio.to_thread(stage.redis.start)
    return cut_at, time.perf_counter()


async def redis_emptied(stage: Stage) -> tuple[float, float]:
    """Another Redis in its place that knows nothing."""
    assert stage.redis is not None
    cut_at = time.perf_counter()
    stage.redis.kill()
    await asyncio.to_thread(stage.redis.start_empty)
    return cut_at, time.perf_counter()


async def redis_without_its_last_second(stage: Stage) -> tuple[float, float]:
    """It comes back as it was a second before it was killed."""
    assert stage.redis is not None
    await asyncio.to_thread(stage.redis.save)
    await asyncio.sleep(A_SECOND)
    cut_at = time.perf_counter()
    stage.redis.kill()
    await asyncio.to_thread(stage.redis.start)
    return cut_at, time.perf_counter()


async def redis_replaced_by_replica(stage: Stage) -> tuple[float, float]:
    """A replica that was a second behind is promoted, and stands at the same address."""
    assert stage.redis is not None
    assert stage.redis_proxy is not None
    replica = stage.stack.enter_context(redis_server("none"))
    await asyncio.to_thread(replica.replica_of, stage.redis)
    await asyncio.to_thread(replica.pause_replication)
    await asyncio.sleep(A_SECOND)
    cut_at = time.perf_counter()
    stage.redis.kill()
    await asyncio.to_thread(replica.promote)
    await stage.redis_proxy.tell(f"to {replica.port}")
    await stage.redis_proxy.tell("cut")
    return cut_at, time.perf_counter()


async def redis_half_open(stage: Stage) -> tuple[float, float]:
    """The server's connections to Redis swallow all; new ones work."""
    assert stage.redis_proxy is not None
    cut_at = time.perf_counter()
    await stage.redis_proxy.tell("half-open")
    return cut_at, time.perf_counter()


@dataclass(frozen=True)
class Scene:
    """A fault, where it is played, and what may be lost by it."""

    fault: Fault
    redis: str | None = None
    """How Redis keeps what it has (`tests/redis_server.py`); `None`: the log is in the process."""
    proxy: bool = False
    needs_hello: bool = False
    """Everybody's connection was lost: back is who has come in again."""
    redis_may_lose_chat: bool = False
    then_count_sql: bool = False


SCENES: dict[str, Scene] = {
    "server_killed": Scene(server_killed, needs_hello=True),
    "half_open": Scene(half_open, proxy=True, needs_hello=True, then_count_sql=True),
    "redis_server_killed": Scene(server_killed, redis="aof", needs_hello=True),
    "redis_killed": Scene(redis_killed, redis="aof"),
    "redis_empty": Scene(redis_emptied, redis="none", redis_may_lose_chat=True),
    "redis_stale": Scene(redis_without_its_last_second, redis="none", redis_may_lose_chat=True),
    "redis_replica": Scene(redis_replaced_by_replica, redis="none", redis_may_lose_chat=True),
    "redis_half_open": Scene(redis_half_open, redis="aof"),
    "redis_viewers_half_open": Scene(
        half_open, redis="aof", proxy=True, needs_hello=True, then_count_sql=True
    ),
}


async def play(scene: Scene, stage: Stage) -> Figures:
    """The fault in the middle of a show; what everybody has in the end."""
    figures: Figures = {"came_in_s": round(await stage.fill(), 1)}
    stage.show_goes_on()
    await stage.a_while()
    cut_at, open_at = await scene.fault(stage)
    stage.crowd.open_at = open_at
    figures |= await come_back(stage, cut_at, open_at, needs_hello=scene.needs_hello)
    await stage.a_while()
    figures["came_to_rest"] = await stage.come_to_rest()
    figures |= back_figures(stage, cut_at, open_at, needs_hello=scene.needs_hello)
    if scene.then_count_sql:
        figures |= await count_sql(stage)
        figures["came_to_rest"] = await stage.come_to_rest()
    if not figures["came_to_rest"]:
        figures["why_no_rest"] = await run_in_db(stage.why_not_level)
        stage.everybody_out()  # or the show would go on while it is judged
    return figures | await run_in_db(judgement, stage, scene)


async def come_back(stage: Stage, cut_at: float, open_at: float, *, needs_hello: bool) -> Figures:
    """Wait for everybody, but not for ever."""
    give_up_at = open_at + BACK_WITHIN_S
    while time.perf_counter() < give_up_at:
        if not missing(stage, cut_at, needs_hello=needs_hello):
            break
        await asyncio.sleep(0.1)
    return {"way_closed_s": round(open_at - cut_at, 2)}


def missing(stage: Stage, cut_at: float, *, needs_hello: bool) -> int:
    """How many are not back."""
    return sum(
        (back_at := viewer.back_at(cut_at)) is None
        or (needs_hello and viewer.hellos[-1][0] <= cut_at)
        or back_at < cut_at
        for viewer in stage.crowd.viewers
    )


def back_figures(stage: Stage, cut_at: float, open_at: float, *, needs_hello: bool) -> Figures:
    """When the last one was back for good."""
    lost = missing(stage, cut_at, needs_hello=needs_hello)
    found = [viewer.back_at(cut_at) for viewer in stage.crowd.viewers]
    times = sorted(max(0.0, at - open_at) for at in found if at is not None)
    hellos = [hello for viewer in stage.crowd.viewers for at, hello in viewer.hellos if at > cut_at]
    noticed = [
        viewer.hellos[-1][0] - viewer.lost_at
        for viewer in stage.crowd.viewers
        if viewer.lost_at > cut_at and viewer.is_in
    ]
    return {
        "not_back": lost,
        "back_after_noticing_s": round(max(noticed), 2) if noticed else None,
        "back_within_s": round(times[-1], 2) if times and not lost else None,
        "back_median_s": round(times[len(times) // 2], 2) if times else None,
        "hellos": len(hellos),
        "recovered": sum(hello.recovered for hello in hellos),
    }


async def count_sql(stage: Stage) -> Figures:
    """SQL statements per recovery, while nobody says anything and the epoch holds.

    The network between viewers and server is cut. While they are away the host's pins are written
    to the database by this process, so that there is something to recover; the server's relay tells
    them. What sockets ask the database is asked in the threads named `db`, so only these count, and
    there everything but what is asked for the whole room or for all rooms. The host stays away: who
    keeps order is looked up each time.
    """
    assert stage.proxy is not None
    everybody, host = stage.crowd.viewers, stage.traffic.host
    host.leave()
    stage.crowd.viewers = [viewer for viewer in everybody if viewer is not host]
    await until(lambda: not host.is_in, BACK_WITHIN_S, "the host to leave")
    before, cut_at = await stage.sql(), time.perf_counter()
    assert before.total(), "nothing is counted"
    await stage.proxy.tell("refuse")
    await stage.proxy.tell("cut")
    await run_in_db(_pin_by_hand, stage, 12)
    await asyncio.sleep(A_SECOND)
    await stage.proxy.tell("pass")
    open_at = stage.crowd.open_at = time.perf_counter()
    await come_back(stage, cut_at, open_at, needs_hello=True)
    figures = back_figures(stage, cut_at, open_at, needs_hello=True)
    asked = await stage.sql() - before
    stage.crowd.viewers = everybody
    host.come_again()
    for_room, for_all = (
        sum(asked[by] for by in names) for names in (ASKED_FOR_A_ROOM, ASKED_FOR_ALL)
    )
    recovered = figures["recovered"]
    assert isinstance(recovered, int)
    return {
        "sql_per_recovery": round((asked.total() - for_room - for_all) / max(1, recovered), 4),
        "sql_for_the_room": for_room,
        "sql_asked": dict(asked),
        "sql_cut_recovered": recovered,
        "sql_cut_came": figures["hellos"],
        "sql_cut_back_within_s": figures["back_within_s"],
    }


def _pin_by_hand(stage: Stage, times: int) -> None:
    show = Show.objects.get(public_id=stage.people.show)
    host = User.objects.get(public_id=stage.people.host)
    offers = list(Offer.objects.filter(show_id=show.public_id).order_by("position"))
    for turn in range(times):
        pins.pin(show=show, actor=host, offer_id=offers[turn % len(offers)].public_id)


def judgement(stage: Stage, scene: Scene) -> Figures:
    """What the stored log says of everything that was shown."""
    crowd = stage.crowd
    log = truth.read_log(stage.topic, epochs_seen(stage))
    verdict = truth.judge(crowd.viewers, crowd.library, log)
    lost = truth.lost_chat(stage.traffic.speakers, log)
    # A hole in the stored epoch is what was appended and neither told nor acknowledged when its
    # Redis was lost: its sender sends it again. What was told must be stored.
    unstored = truth.told_but_not_stored(crowd.library, log)
    strange = 0 if scene.redis_may_lose_chat else unstored
    strange += verdict.stored_holes if scene.redis is None else 0
    wishes = [wish for actor in stage.traffic.actors for wish in actor.done]
    return {
        "viewers": len(crowd.viewers),
        "undetected_gaps": verdict.undetected_gaps + verdict.snapshot_holes,
        "of_them_in_snapshots": verdict.snapshot_holes,
        "duplicates": verdict.duplicates,
        "conflicts": verdict.conflicts + strange,
        "stored_holes": verdict.stored_holes,
        "chat_lost": 0 if scene.redis_may_lose_chat else len(lost),
        "chat_lost_with_redis": len(lost) if scene.redis_may_lose_chat else 0,
        "told_but_not_stored": unstored,
        "order_faults": truth.order_faults(stage.traffic.buyers, log),
        "chat_said": sum(len(actor.done) for actor in stage.traffic.speakers),
        "orders": sum(len(actor.done) for actor in stage.traffic.buyers),
        "facts": len(log.facts),
        "sent_again": sum(wish.sent_times > 1 for wish in wishes),
        "epochs": len(log.epochs),
        "closes": {str(code): count for code, count in sorted(crowd.closes.items())},
        "notes": crowd.notes,
        "examples": verdict.examples,
    }


def epochs_seen(stage: Stage) -> list[str]:
    hellos = sorted(
        ((at, hello.epoch) for viewer in stage.crowd.viewers for at, hello in viewer.hellos),
    )
    return list(dict.fromkeys(epoch for _, epoch in hellos))


# The controls: a checker that finds nothing wrong here would find nothing wrong anywhere.


async def play_control(stage: Stage, rules: Rules) -> Figures:
    """Viewers who only watch lose their connection for a moment while the show goes on.

    The actors keep to the rules and keep their connection; the others to `rules`.
    """
    assert stage.proxy is not None
    await stage.fill()
    stage.show_goes_on()
    await stage.a_while(0.5)
    stage.crowd.rules = rules
    cut_at = time.perf_counter()
    await stage.proxy.tell("refuse")
    await stage.proxy.tell("cut")
    await asyncio.sleep(A_SECOND)
    await run_in_db(_pin_by_hand, stage, 12)
    await asyncio.sleep(A_SECOND)
    await stage.proxy.tell("pass")
    stage.crowd.open_at = time.perf_counter()
    await until(
        lambda: not missing(stage, cut_at, needs_hello=True), BACK_WITHIN_S, "everybody back"
    )
    await stage.a_while(0.5)
    await stage.come_to_rest()
    return await run_in_db(judgement, stage, Scene(half_open))


CONTROLS: dict[str, Rules] = {
    "without_recovery": Rules(recovers=False),
    "without_ids": Rules(knows_ids=False, rewinds=5),
}


async def play_stalled(stage: Stage) -> Figures:
    """One reader in a hundred reads no more: see `tests/chaos/stalled.py`."""
    await stage.fill()
    # Longer messages fill a phone's buffers as a lively room's frames do.
    stage.show_goes_on()
    await stage.a_while()
    figures = await stalled.compare(stage)
    figures["came_to_rest"] = await stage.come_to_rest()
    return figures | await run_in_db(judgement, stage, replace(SCENES["server_killed"]))
