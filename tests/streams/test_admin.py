"""Operators take mutes and bans back in the admin, by the same service as the room's people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from core.models import OutboxFact
from streams.models import Ban, Mute
from streams.services import moderation
from tests.world import World

KINDS = [("mute", Mute), ("ban", Ban)]


@pytest.fixture
def zhao(client: Client, world: World) -> Client:
    world.zhao.is_superuser = world.zhao.is_staff = True
    world.zhao.save()
    client.force_login(world.zhao)
    for hold in (moderation.mute, moderation.ban):
        hold(show=world.show, actor=world.zhang, user_id=world.li.public_id, reason="adverts")
    OutboxFact.objects.all().delete()
    return client


def lift(client: Client, kind: str, held: Mute | Ban) -> str:
    chosen = {"action": "lift", "_selected_action": [str(held.pk)]}
    return client.post(f"/admin/streams/{kind}/", chosen, follow=True).content.decode()


@pytest.mark.parametrize(("kind", "model"), KINDS)
def test_what_an_operator_takes_back_is_told_to_the_room(
    zhao: Client, world: World, kind: str, model: type[Mute] | type[Ban]
) -> None:
    assert "adverts" in zhao.get(f"/admin/streams/{kind}/").content.decode()
    assert "Lifted for 1 person." in lift(zhao, kind, model.objects.get())
    assert not model.objects.exists()
    [fact] = OutboxFact.objects.all()
    told = (fact.data["action"], fact.data["actor"], fact.data["user_id"])
    assert told == (f"un{kind}", "Zhao", str(world.li.public_id))


@pytest.mark.parametrize(("kind", "model"), KINDS)
def test_nothing_is_written_past_the_room(
    zhao: Client, world: World, kind: str, model: type[Mute] | type[Ban]
) -> None:
    held = model.objects.get()
    page = f"/admin/streams/{kind}"
    assert zhao.get(f"{page}/add/").status_code == 403
    assert zhao.post(f"{page}/{held.pk}/delete/", {"post": "yes"}).status_code == 403
    assert zhao.post(f"{page}/{held.pk}/change/", {"reason": "x"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [str(held.pk)], "post": "yes"}
    zhao.post(f"{page}/", chosen)
    assert model.objects.get().reason == "adverts"


def test_who_may_only_look_takes_nothing_back(zhao: Client, world: World) -> None:
    world.gao.is_staff = True
    world.gao.save()
    world.gao.user_permissions.set(Permission.objects.filter(codename="view_mute"))
    zhao.force_login(world.gao)
    lift(zhao, "mute", Mute.objects.get())
    # Nor does who may delete rows, but does not keep order in this show.
    world.gao.user_permissions.add(*Permission.objects.filter(codename="delete_mute"))
    assert "Only the host or a moderator" in lift(zhao, "mute", Mute.objects.get())
    assert Mute.objects.exists()
    assert not OutboxFact.objects.exists()
