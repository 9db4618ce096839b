from __future__ import annotations

from tests.world import World


def test_stock_of_the_world_agrees_with_its_ledger(world: World) -> None:
    on_hand = sum(move.on_hand_change for move in world.apples.movements.all())
    assert on_hand == world.apples.stock.on_hand == 40
