from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from core.errors import AppError, NotAllowed, NotFound, SignInRequired
from streams import access
from streams.access import RoomRole
from streams.models import Audience, Show
from tests.world import World

ROLES = {
    "zhang": RoomRole.HOST,
    "zhao": RoomRole.OPERATOR,
    "li": RoomRole.VIEWER,
    "gao": RoomRole.VIEWER,
    "chen": RoomRole.VIEWER,
}


@pytest.mark.parametrize(("name", "role"), ROLES.items())
def test_what_each_person_is_in_zhangs_show(world: World, name: str, role: RoomRole) -> None:
    user = getattr(world, name)
    assert access.role_in(user, world.show) == role
    assert access.may_host(user, world.show) is (role != RoomRole.VIEWER)
    assert access.may_moderate(user, world.show) is (role != RoomRole.VIEWER)


@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.UNLISTED])
def test_anyone_with_the_link_watches(world: World, audience: Audience) -> None:
    Show.objects.update(audience=audience)
    assert access.show_to_watch(AnonymousUser(), world.show.public_id) == world.show


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        (None, SignInRequired),
        ("li", NotAllowed),
        ("gao", NotAllowed),
        ("zhang", None),
        ("zhao", None),
    ],
)
def test_a_show_by_invitation(
    world: World, name: str | None, refusal: type[AppError] | None
) -> None:
    Show.objects.update(audience=Audience.INVITED)
    user = getattr(world, name) if name else AnonymousUser()
    if refusal is None:
        assert access.show_to_watch(user, world.show.public_id) == world.show
        return
    with pytest.raises(refusal):
        access.show_to_watch(user, world.show.public_id)


@pytest.mark.parametrize(
    ("name", "refusal"), [(None, SignInRequired), ("li", NotAllowed), ("gao", NotAllowed)]
)
def test_only_hosts_host(world: World, name: str | None, refusal: type[AppError]) -> None:
    user = getattr(world, name) if name else AnonymousUser()
    with pytest.raises(refusal):
        access.show_to_host(user, world.show.public_id)


def test_no_show_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        access.show_to_watch(world.zhang, world.farm.public_id)
