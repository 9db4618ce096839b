"""Real time for tests: the real log, hub and relay, on the test's own event loop.

`runtime` starts what a web process runs. `site` serves the whole ASGI application over real
sockets by uvicorn, whose lifespan starts the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest_asyncio
import uvicorn

from core.realtime import runtime as running
from core.realtime.db import run_in_db
from core.realtime.runtime import Runtime

# Only a hang is ended by it: a machine that does other things beside is slow, and not wrong.
DEADLINE_S = 30.0


@pytest_asyncio.fixture
async def runtime(transactional_db: None) -> AsyncIterator[Runtime]:
    yield await running.start()
    await running.stop()


class QuietServer(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def served(transactional_db: None) -> AsyncIterator[str]:
    """The address (`host:port`) of the whole application, served over real sockets."""
    from livecommerce.asgi import application  # settings must be read first

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        host, port = listener.getsockname()
        config = uvicorn.Config(
            application,
            log_level="warning",
            lifespan="on",
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,  # as in production: a phone may still be there
        )
        server = QuietServer(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started or serving.done())
        yield f"{host}:{port}"
        server.should_exit = True
        await serving


site = pytest_asyncio.fixture(served, name="site")


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Return as soon as the condition holds; fail the test if it does not in time."""
    give_up_at = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < give_up_at, "did not happen in time"
        await asyncio.sleep(0.01)


async def until_in_db(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """`until`, for a condition that reads the database."""
    give_up_at = time.monotonic() + deadline_s
    while not await run_in_db(condition):
        assert time.monotonic() < give_up_at, "did not happen in time"
        await asyncio.sleep(0.02)
