"""Where people land who sign in: a shop's people in the studio, operators on their page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from core.accounts.models import Invitation
from livecommerce.people import invitations
from livecommerce.people.landing import start_of
from sellers.models import MemberRole
from sellers.services.people import add_member
from tests.world import PASSWORD, World


def signs_in(login: str, **more: str) -> str:
    """Where they land."""
    form = {"login": login, "password": PASSWORD, **more}
    return Client().post("/accounts/login/", form)["Location"]


@pytest.mark.parametrize(
    ("who", "place"), [("zhang", "/studio/"), ("zhao", "/operator/shows/"), ("li", "/")]
)
def test_each_lands_where_they_came_for(world: World, who: str, place: str) -> None:
    assert signs_in(who) == place


def test_where_they_wanted_to_go_goes_before_it(world: World) -> None:
    assert signs_in("zhang", next="/orders/") == "/orders/"


def test_a_packer_too_and_who_runs_the_site_with_a_shop(world: World) -> None:
    add_member(world.farm, world.li, MemberRole.PACKER)
    add_member(world.farm, world.zhao, MemberRole.OWNER)
    assert {start_of(one) for one in (world.li, world.zhao)} == {"/studio/"}
    assert start_of(AnonymousUser()) == "/"


def test_the_front_page_is_nowhere_in_particular(client: Client, world: World) -> None:
    assert b'href="/accounts/login/"' in client.get("/").content
    assert b'href="/accounts/login/?next=%2Flearn%2F"' in client.get("/learn/").content


def test_who_joins_is_welcomed_once(client: Client, world: World) -> None:
    batch = invitations.invite(["Mei"], role="host", seller=world.farm, days=1, made_by=world.zhao)
    token = invitations.token_of(Invitation.objects.get(batch=batch))
    typed = {"name": "Mei", "login": "mei", "password": "pear-tree-by-the-well"}
    page = client.post(f"/join/{token}/", typed, follow=True)
    assert [str(one) for one in page.context["messages"]] == ["Welcome to Zhang's orchard."]
    assert "Successfully" not in page.content.decode()


def test_pages_say_what_a_user_name_and_a_password_are(client: Client, world: World) -> None:
    page = client.get("/accounts/signup/").content.decode()
    assert "Username" not in page
    assert "You sign in with it." in page
    assert "commonly used" in page
