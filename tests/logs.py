"""Both implementations of the topic log, for tests that hold for each of them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from core.clock import now
from core.realtime.db import run_in_db
from core.realtime.local_log import LocalLog
from core.realtime.log import Entry, LogUnavailable, NewEntry
from core.realtime.models import LogEntry
from core.realtime.redis_log import RedisLog
from tests.redis_server import RedisServer, redis_server

AnyLog = LocalLog | RedisLog
TOPIC = "show:apples"


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


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@asynccontextmanager
async def process(url: str) -> AsyncIterator[RedisLog]:
    """What one web process has."""
    log = RedisLog(url)
    log.start()
    try:
        yield log
    finally:
        await log.stop()


@pytest_asyncio.fixture
async def one(redis: RedisServer, transactional_db: None) -> AsyncIterator[RedisLog]:
    async with process(redis.url) as log:
        yield log


@pytest_asyncio.fixture
async def other(redis: RedisServer, transactional_db: None) -> AsyncIterator[RedisLog]:
    async with process(redis.url) as log:
        yield log


class Listener:
    """Follows a log and insists that every epoch is told from its beginning, without a hole."""

    def __init__(self, log: RedisLog) -> None:
        self.heard: dict[str, dict[str, list[Entry]]] = {}
        log.follow(self.hear)

    def hear(self, topic: str, epoch: str, entries: Sequence[Entry]) -> None:
        so_far = self.heard.setdefault(topic, {}).setdefault(epoch, [])
        assert list(self.heard[topic])[-1] == epoch, "an epoch came back"
        for entry in entries:
            assert not so_far or entry.seq == so_far[-1].seq + 1
            so_far.append(entry)

    def texts(self, topic: str = TOPIC) -> list[str | None]:
        return [text for entries in self.heard.get(topic, {}).values() for text in texts(entries)]

    def epoch(self, topic: str = TOPIC) -> str | None:
        return list(self.heard.get(topic, {}))[-1] if topic in self.heard else None


async def stored_texts() -> list[str]:
    def read() -> list[str]:
        rows = LogEntry.objects.filter(topic=TOPIC, removed_at=None).order_by("epoch", "seq")
        return [row.data["text"] for row in rows]

    return await run_in_db(read)


async def append_in_the_end(log: RedisLog, text: str) -> Entry:
    """A fact is repeated until it is in the log, as the outbox does."""
    fact = said(text, fact_id=uuid.uuid4())
    for _ in range(20):
        try:
            [entry] = await log.append(TOPIC, [fact])
        except LogUnavailable:
            continue
        return entry
    raise AssertionError("the log did not come back")
