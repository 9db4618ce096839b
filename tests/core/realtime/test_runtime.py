from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from core.clock import now
from core.models import OutboxFact
from core.outbox import CLAIM_FOR
from core.realtime import runtime as running
from core.realtime import tickets
from core.realtime.db import run_in_db
from core.realtime.runtime import AlreadyRunning, NotRunning, Runtime, hold, hold_alone
from tests.redis_server import redis_server
from tests.world import World


def test_two_web_processes_cannot_keep_one_log(tmp_path: Path) -> None:
    held = hold_alone(tmp_path / "web.lock")
    with pytest.raises(AlreadyRunning, match=str(tmp_path)):
        hold_alone(tmp_path / "web.lock")
    held.close()
    hold_alone(tmp_path / "web.lock").close()


def test_processes_that_share_a_redis_share_the_folder_and_with_nobody_else(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "web.lock"
    first, second = hold(lock, alone=False), hold(lock, alone=False)
    with pytest.raises(AlreadyRunning):
        hold(lock, alone=True)
    first.close()
    with pytest.raises(AlreadyRunning):
        hold(lock, alone=True)
    second.close()
    alone = hold(lock, alone=True)
    with pytest.raises(AlreadyRunning, match="REDIS_URL"):
        hold(lock, alone=False)
    alone.close()


async def test_claims_are_released_by_who_is_alone_and_left_to_others_by_who_is_not(
    transactional_db: None, tmp_path: Path
) -> None:
    """Taking them back would hand out a second time what another process has in hand."""
    in_hand = OutboxFact(
        topic="tests", type="tests.InHand", data={}, at=now(), claimed_until=now() + 100 * CLAIM_FOR
    )
    await run_in_db(in_hand.save)

    async def after_a_start(redis_url: str) -> bool:
        runtime = Runtime(tmp_path, redis_url)
        await runtime.start()
        await runtime.stop()
        await run_in_db(in_hand.refresh_from_db)
        return in_hand.attempts == 0

    with redis_server() as redis:
        assert await after_a_start(redis.url)
    assert not await after_a_start("")


async def test_a_second_start_is_refused_and_leaves_the_first_alone(runtime: Runtime) -> None:
    with pytest.raises(AlreadyRunning):
        await running.start()
    assert running.current() is runtime


def test_what_is_not_started_says_so() -> None:
    with pytest.raises(NotRunning):
        running.current()


async def test_it_can_be_started_again_after_it_stopped(transactional_db: None) -> None:
    for _ in range(2):
        await running.start()
        await running.stop()
    await running.stop()


def test_tickets_are_given_to_who_is_signed_in(world: World, client: Client) -> None:
    assert client.post("/api/v1/realtime/tickets").status_code == 401
    client.force_login(world.li)
    answer = client.post("/api/v1/realtime/tickets")
    assert answer.status_code == 201
    assert tickets.redeem(answer.json()["ticket"]) == world.li.public_id
