from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from core.realtime import runtime as running
from core.realtime import tickets
from core.realtime.runtime import AlreadyRunning, NotRunning, Runtime, hold_alone
from tests.world import World


def test_two_web_processes_cannot_keep_one_log(tmp_path: Path) -> None:
    held = hold_alone(tmp_path / "web.lock")
    with pytest.raises(AlreadyRunning, match=str(tmp_path)):
        hold_alone(tmp_path / "web.lock")
    held.close()
    hold_alone(tmp_path / "web.lock").close()


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
