from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from core.errors import NotFound, SignInRequired
from sellers.access import KEEPERS, is_member, member_of, sellers_of
from sellers.models import Member, MemberRole
from tests.world import World


def test_members_act_for_their_own_seller(world: World) -> None:
    assert member_of(world.zhang, world.farm) == world.zhang
    assert member_of(world.zhang, world.farm, MemberRole.HOST) == world.zhang
    assert list(sellers_of(world.zhang)) == [world.farm]


def test_a_packer_does_not_keep_the_goods(world: World) -> None:
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)

    assert is_member(world.wang, world.farm)
    assert not is_member(world.wang, world.farm, *KEEPERS)
    assert list(sellers_of(world.wang)) == [world.farm]
    assert not sellers_of(world.wang, *KEEPERS).exists()
    with pytest.raises(NotFound):
        member_of(world.wang, world.farm, *KEEPERS)


@pytest.mark.parametrize("who", ["li", "wang", "chen", "gao"])
def test_strangers_do_not_learn_that_there_is_anything(world: World, who: str) -> None:
    stranger = getattr(world, who)

    with pytest.raises(NotFound):
        member_of(stranger, world.farm)
    assert world.farm not in sellers_of(stranger)


def test_the_county_centre_acts_for_all(world: World) -> None:
    assert member_of(world.zhao, world.farm, MemberRole.OWNER) == world.zhao
    assert set(sellers_of(world.zhao)) == {world.farm, world.other_farm}
    assert not is_member(world.zhao, world.farm)


def test_visitors_sign_in_first(world: World) -> None:
    with pytest.raises(SignInRequired):
        member_of(AnonymousUser(), world.farm)
    assert not sellers_of(AnonymousUser()).exists()
