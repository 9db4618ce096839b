"""The judge of the chaos room: when it may judge."""

from __future__ import annotations

import uuid

import pytest

from core.realtime.db import run_in_db
from tests.chaos import truth
from tests.logs import TOPIC, process, redis, said  # noqa: F401 - a fixture
from tests.redis_server import RedisServer


async def test_a_room_is_not_at_rest_while_chat_before_a_stored_fact_is_not_stored(
    redis: RedisServer,  # noqa: F811
    transactional_db: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.realtime.keeper.KEEP_EVERY_S", 3600)
    async with process(redis.url) as log:
        await log.append(TOPIC, [said("how heavy is a box?")])
        pinned = said("a box", fact_id=uuid.uuid4())
        [last] = await run_in_db(log.append_blocking, TOPIC, [pinned])
        end = await log.tail(TOPIC)
        assert end.seq == last.seq == 2
        assert not await run_in_db(truth.is_stored, TOPIC, end.epoch, end.seq)
        await log.stored(TOPIC, end)
        assert await run_in_db(truth.is_stored, TOPIC, end.epoch, end.seq)
