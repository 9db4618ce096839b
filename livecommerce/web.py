"""What runs in a web process beside its requests: real time, and the desk that receives cameras."""

from __future__ import annotations

from core.realtime import runtime
from core.realtime.db import run_in_db
from media_pipeline.ingest.desk import desk
from streams.services import shows


async def start() -> None:
    """Before the first connection. Raises `runtime.AlreadyRunning`."""
    await runtime.start()
    await run_in_db(shows.seal_leftovers)


async def stop() -> None:
    """Cameras are let go and their takes sealed, then the rooms are told to come back."""
    await desk.stop()
    await runtime.stop()
