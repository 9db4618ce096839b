"""A seller's first show waits for an operator's yes."""

from __future__ import annotations

import importlib
import uuid

import pytest
from django.apps import apps
from django.test import Client
from pytest_django.fixtures import Settings

from core.accounts.models import Role, RoleGrant
from core.clock import now
from core.errors import Conflict
from core.models import OutboxFact
from core.realtime.db import run_in_db
from sellers.models import Member, MemberRole
from streams.models import Approval, Show, ShowState
from streams.services import approvals, encoders, stream_keys
from tests import world as world_module
from tests.streams.camera import camera, refusal
from tests.world import World


@pytest.fixture
def first(world: World) -> Show:
    """Gao has never shown anything."""
    Approval.objects.filter(seller=world.other_farm).delete()
    return world_module.show_of(world.other_farm, world.gao, "Potatoes of Minxian")


def standing(show: Show) -> str:
    return approvals.review_of(show).standing


def told(show: Show) -> list[bool]:
    facts = OutboxFact.objects.filter(type="streams.ShowReviewed", topic=show.topic)
    return [fact.data["is_yes"] for fact in facts]


def test_one_yes_is_for_all_shows_of_the_seller(world: World, first: Show) -> None:
    next_one = world_module.show_of(world.other_farm, world.gao, "And carrots")
    assert list(approvals.waiting()) == [first, next_one]
    approvals.approve(first.public_id, world.zhao)
    approvals.approve(first.public_id, world.zhao)
    assert (standing(first), standing(next_one), list(approvals.waiting())) == ("free", "free", [])
    assert told(first) == told(next_one) == [True]


def test_after_a_no_there_can_be_a_yes_and_not_the_other_way_round(
    world: World, first: Show
) -> None:
    approvals.refuse(first.public_id, world.zhao, "Show us the farm first")
    assert approvals.review_of(first) == approvals.Review("refused", "Show us the farm first")
    assert list(approvals.refused()) == [first]
    approvals.approve(first.public_id, world.zhao)
    with pytest.raises(Conflict):
        approvals.refuse(first.public_id, world.zhao, "No, after all")
    assert standing(first) == "free"
    assert told(first) == [False, True]


def test_the_shops_of_operators_wait_for_nobody(
    world: World, first: Show, settings: Settings
) -> None:
    settings.FIRST_SHOW_APPROVAL = False
    assert (standing(first), list(approvals.waiting())) == ("free", [])
    settings.FIRST_SHOW_APPROVAL = True
    assert standing(first) == "waiting"
    keeper = Member.objects.create(seller=world.other_farm, user=world.zhao, role=MemberRole.OWNER)
    assert (standing(first), list(approvals.waiting())) == ("free", [])
    keeper.delete()
    assert standing(first) == "waiting"
    RoleGrant.objects.create(user=world.gao, role=Role.OPERATOR)
    assert (standing(first), list(approvals.waiting())) == ("free", [])


def test_who_has_shown_before_the_update_goes_on(world: World, first: Show) -> None:
    Approval.objects.all().delete()
    Show.objects.filter(pk=world.show.pk).update(state=ShowState.ENDED, started_at=now())
    migration = importlib.import_module("streams.migrations.0006_stops_and_approvals")
    migration.approve_who_has_shown(apps, None)
    assert [one.seller for one in Approval.objects.all()] == [world.farm]


@pytest.mark.django_db(transaction=True)
async def test_a_camera_may_be_tried_and_goes_live_after_the_yes(
    site: str, world: World, first: Show
) -> None:
    async with camera(site, first.public_id) as phone:
        answer = await phone.hello(first, uuid.uuid4())
        assert await refusal(phone, answer) == ("not_approved", 4403)
        assert "waits for an operator" in answer["error"]["message"]
    await run_in_db(approvals.approve, first.public_id, world.zhao)
    async with camera(site, first.public_id) as phone:
        assert "ready" in await phone.hello(first, uuid.uuid4())


def test_an_encoder_waits_as_well(world: World, first: Show) -> None:
    key = stream_keys.make_key(world.other_farm, world.gao, "OBS")
    with pytest.raises(encoders.EncoderRefused, match="not_approved"):
        encoders.check(key)
    assert standing(first) == "waiting"


def test_zhao_sees_what_is_going_to_be_sold_and_answers(world: World, first: Show) -> None:
    client = Client()
    client.force_login(world.zhao)
    page = client.get("/operator/shows/").content.decode()
    assert "Potatoes of Minxian" in page
    assert "Gao&#x27;s fields" in page
    path = f"/operator/shows/{first.public_id}"
    assert client.post(f"{path}/refuse/", {"reason": " "}).status_code == 422
    assert standing(first) == "waiting"
    assert client.post(f"{path}/approve/").status_code == 302
    assert standing(first) == "free"
