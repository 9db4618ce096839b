from __future__ import annotations

import asyncio

import pytest

from core.realtime import tasks


async def test_a_task_that_loses_a_cancellation_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "AGAIN_AFTER_S", 0.01)
    lost = []

    async def work_forever() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if len(lost) == 2:
                    raise
                lost.append(True)  # as redis-py, at the end of a time limit

    working = asyncio.create_task(work_forever())
    await asyncio.sleep(0)
    await asyncio.wait_for(tasks.end(working, None), 20)
    assert working.cancelled()
    assert len(lost) == 2
