"""Who may chat, read once for many: what happens between two readings."""

from __future__ import annotations

import asyncio

import pytest

from core.realtime.db import run_in_db
from streams.watch import Chat
from tests import world as tests_world


@pytest.mark.django_db(transaction=True)
async def test_a_reading_that_has_just_ended_does_not_stop_the_world() -> None:
    """Whoever asks before the end is noted begins another; awaiting it again would never pause."""
    world = await run_in_db(tests_world.build)
    chat = Chat(world.show.public_id)
    ended = asyncio.create_task(asyncio.sleep(0))
    await ended
    chat._reading = ended
    standing = await chat.standing(world.li.pk)
    assert standing is not None
