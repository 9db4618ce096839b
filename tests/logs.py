"""Both implementations of the topic log, for tests that hold for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from core.clock import now
from core.realtime.local_log import LocalLog
from core.realtime.log import NewEntry
from core.realtime.redis_log import RedisLog
from tests.redis_server import RedisServer, redis_server

AnyLog = LocalLog | RedisLog


class Logs:
    """Starts logs of one kind; several on Redis are what several processes have."""

    def __init__(self, redis: RedisServer | None) -> None:
        self.redis = redis
        self._started: list[AnyLog] = []

    def start(self) -> AnyLog:
        log: AnyLog = RedisLog(self.redis.url) if self.redis else LocalLog()
        log.start()
        self._started.append(log)
        return log

    async def stop(self) -> None:
        for log in self._started:
            await log.stop()


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One server for all tests that do not harm it; empty it first."""
    with redis_server() as server:
        yield server


@pytest_asyncio.fixture(params=["local", "redis"])
async def logs(request: pytest.FixtureRequest, transactional_db: None) -> AsyncIterator[Logs]:
    redis: RedisServer | None = None
    if request.param == "redis":
        redis = request.getfixturevalue("shared_redis")
        redis.flush()
    kept = Logs(redis)
    yield kept
    await kept.stop()


@pytest_asyncio.fixture
async def topic_log(logs: Logs) -> AnyLog:
    return logs.start()


def said(text: str, **more: Any) -> NewEntry:
    return NewEntry(type="chat.message", data={"text": text}, at=now(), **more)


def texts(entries: Any) -> list[str | None]:
    return [entry.data.get("text") for entry in entries]
