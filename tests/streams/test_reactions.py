"""Likes: counted, shared, stored, and never taken back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import pytest

from core.errors import TooMany
from core.realtime.db import run_in_db
from core.realtime.runtime import Runtime
from core.realtime.shared import Count, LocalShared, SharedAway
from streams.models import Show
from streams.services import reactions
from streams.services.reactions import Sharing, like, likes
from tests.world import World


class ComesAndGoes(LocalShared):
    """What is shared, away when told so."""

    is_away = False

    async def count(self, counts: Mapping[str, Count]) -> dict[str, int]:
        if self.is_away:
            raise SharedAway
        return await super().count(counts)


async def stored(show: Show) -> int:
    await run_in_db(show.refresh_from_db)
    return show.likes


async def test_a_like_counts_at_once_and_is_stored_when_the_process_stops(
    runtime: Runtime, world: World
) -> None:
    sharing = Sharing(runtime)
    assert [await like(world.show.public_id, "user:li") for _ in range(3)] == [1, 2, 3]
    assert await stored(world.show) == 0
    await sharing.stop()
    assert await stored(world.show) == 3
    assert likes(world.show.public_id) == 3


async def test_what_was_stored_is_where_the_next_process_begins(
    runtime: Runtime, world: World
) -> None:
    await run_in_db(Show.objects.filter(pk=world.show.pk).update, likes=1000)
    await like(world.show.public_id, "user:li")
    sharing = Sharing(runtime)
    await sharing.share()
    assert likes(world.show.public_id) == 1001
    await sharing.stop()
    assert await stored(world.show) == 1001


async def test_likes_wait_for_what_is_away_and_are_counted_once(
    runtime: Runtime, world: World
) -> None:
    runtime.shared = shared = ComesAndGoes()
    sharing = Sharing(runtime)
    shared.is_away = True
    await like(world.show.public_id, "user:li")
    await sharing.share()
    await like(world.show.public_id, "user:li")
    assert likes(world.show.public_id) == 2
    shared.is_away = False
    await sharing.share()
    await sharing.stop()
    assert likes(world.show.public_id) == await stored(world.show) == 2


async def test_what_another_process_has_stored_is_not_lowered(
    runtime: Runtime, world: World
) -> None:
    sharing = Sharing(runtime)
    await like(world.show.public_id, "user:li")
    await sharing.share()
    await run_in_db(Show.objects.filter(pk=world.show.pk).update, likes=50)
    await sharing.stop()
    assert await stored(world.show) == 50


async def test_who_likes_too_fast_is_thanked_and_told_when(runtime: Runtime) -> None:
    show_id = uuid.uuid4()

    async def like_on_and_on() -> None:
        for _ in range(2 * reactions.BURST):
            await like(show_id, "user:li")

    with pytest.raises(TooMany) as refused:
        await like_on_and_on()
    assert 0 < (refused.value.retry_after or 0) <= reactions.EVERY_S
    assert reactions.BURST <= likes(show_id) < 2 * reactions.BURST
    assert await like(show_id, "user:wang") == likes(show_id)
