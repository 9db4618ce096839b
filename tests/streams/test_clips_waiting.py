"""Whose word a clip waits for is told on the studio's first page."""

from __future__ import annotations

from core.accounts.models import User
from core.clock import now
from media_pipeline.models import Asset, AssetKind, AssetState, Recording
from sellers.models import Member, MemberRole
from tests.streams.test_studio_pages import signed_in
from tests.world import World

ASKED = "would like to be"


def clip_by(person: User, world: World, **fields: object) -> Asset:
    recording, _made = Recording.objects.get_or_create(
        show_id=world.show.public_id, defaults={"is_public": True}
    )
    known = {"kind": AssetKind.CLIP, "state": AssetState.READY, "duration_s": 10, **fields}
    return Asset.objects.create(recording=recording, created_by=person, is_public=True, **known)


def home(person: User) -> str:
    return signed_in(person).get("/studio/").content.decode()


def test_a_clip_that_somebody_else_made_waits_for_the_sellers_word(world: World) -> None:
    first = clip_by(world.chen, world)
    clip_by(world.zhao, world)
    page = home(world.zhang)
    assert f"2 clips of “{world.show.title}” {ASKED} lessons" in page
    assert f'href="/studio/shows/{world.show.public_id}/#clips-title"' in page
    Asset.objects.filter(pk=first.pk).update(consented_at=now())
    assert f"1 clip of “{world.show.title}” {ASKED} a lesson" in home(world.zhang)


def test_nobody_is_asked_for_what_is_not_theirs_to_say(world: World) -> None:
    clip_by(world.chen, world)
    Member.objects.create(seller=world.farm, user=world.wang, role=MemberRole.PACKER)
    for person in (world.wang, world.gao, world.zhao):
        assert ASKED not in home(person)


def test_no_word_is_asked_for_ones_own_nor_for_what_is_not_there(world: World) -> None:
    clip_by(world.zhang, world)
    for state in (AssetState.FAILED, AssetState.WITHDRAWN):
        clip_by(world.chen, world, state=state)
    assert ASKED not in home(world.zhang)
