"""A forgotten password: a code that an operator makes, for one person, once."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from core.accounts.access import AnyUser
from core.accounts.models import Role, User, WayBack
from core.accounts.services import grant
from core.clock import now
from core.errors import InvalidInput, NotAllowed, SignInRequired, TooMany
from livecommerce.people import ways_back
from livecommerce.people.leaving import leave
from tests.world import PASSWORD, World

NEW = "plum-blossom-in-march"


@pytest.fixture
def operator(world: World) -> Client:
    return signed_in(world.zhao)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def token(world: World) -> str:
    return ways_back.token_of(ways_back.make(world.zhao, world.li))


def knows(user: User, password: str) -> bool:
    return User.objects.get(pk=user.pk).check_password(password)


def is_in(client: Client, user: User) -> bool:
    return bool(client.get("/me/").context) and client.get("/me/").context["user"] == user


def test_who_forgot_the_password_chooses_a_new_one_and_is_signed_out_elsewhere(
    operator: Client, world: World
) -> None:
    elsewhere, here = signed_in(world.li), Client()
    page = operator.post("/operator/people/ways-back/", {"person": "li"}, follow=True)
    path = re.findall(r"http://testserver(/way-back/[\w-]+/)", page.content.decode())[0]
    assert "data:image/svg+xml" in page.content.decode()

    assert "Li" in here.get(path).content.decode()
    assert here.post(path, {"password": NEW}).status_code == 302
    assert is_in(here, world.li)
    assert not is_in(elsewhere, world.li)
    assert knows(world.li, NEW)
    again = Client()
    again.post("/accounts/login/", {"login": "li", "password": NEW})
    assert is_in(again, world.li)
    made = WayBack.objects.get()
    assert (made.made_by, made.user, made.state) == (world.zhao, world.li, "used")
    assert "Zhao" in operator.get("/operator/people/").content.decode()


def test_from_the_list_of_a_shops_people(operator: Client, world: World) -> None:
    form = {"person_id": str(world.zhang.public_id)}
    operator.post("/operator/people/ways-back/", form)
    assert WayBack.objects.get().user == world.zhang


def test_used_revoked_replaced_over_and_guessed_open_nothing(world: World) -> None:
    replaced, revoked = token(world), token(world)
    ways_back.revoke(WayBack.objects.get(digest=ways_back._digest(revoked)).public_id)
    over = token(world)
    WayBack.objects.filter(digest=ways_back._digest(over)).update(ends_at=now())
    used = token(world)
    Client().post(f"/way-back/{used}/", {"password": NEW})
    for void in (replaced, revoked, over, used, used[:-1], "x" * 500, "\u202e"):
        assert Client().get(f"/way-back/{void}/").status_code == 404
        typed = {"password": "another-one-of-mine"}
        assert Client().post(f"/way-back/{void}/", typed).status_code == 404
    assert knows(world.li, NEW)


def test_it_ends_after_a_day(world: World) -> None:
    open_ = token(world)
    with time_machine.travel(now() + timedelta(hours=23)):
        assert Client().get(f"/way-back/{open_}/").status_code == 200
    with time_machine.travel(now() + timedelta(hours=25)):
        assert Client().post(f"/way-back/{open_}/", {"password": NEW}).status_code == 404
    assert knows(world.li, PASSWORD)


def test_of_two_who_looked_one_sets_it(world: World) -> None:
    way = ways_back.open_way(token(world), address="1.2.3.4")
    ways_back.use(way, NEW)
    with pytest.raises(ways_back.WayBackVoid):
        ways_back.use(way, "another-one-of-mine")
    assert knows(world.li, NEW)


@pytest.mark.parametrize("password", ["", "short", "password"])
def test_a_weak_password_is_refused_and_the_way_stays_open(world: World, password: str) -> None:
    path = f"/way-back/{token(world)}/"
    assert Client().post(path, {"password": password}).status_code == 422
    assert knows(world.li, PASSWORD)
    assert Client().post(path, {"password": NEW}).status_code == 302


# Who


def test_not_for_who_runs_the_site(operator: Client, world: World) -> None:
    world.chen.is_superuser = True
    world.chen.save()
    grant(world.gao, Role.OPERATOR)
    for one in (world.chen, world.gao, world.zhao):
        answer = operator.post("/operator/people/ways-back/", {"person": one.username})
        assert answer.status_code == 422
        assert f"livecommerce operator {one.username}" in answer.content.decode()
    assert not WayBack.objects.exists()


def test_not_for_who_comes_to_run_the_site_meanwhile(world: World) -> None:
    open_ = token(world)
    way = ways_back.open_way(open_, address="1.2.3.4")
    grant(world.li, Role.OPERATOR)
    assert Client().get(f"/way-back/{open_}/").status_code == 404
    assert Client().post(f"/way-back/{open_}/", {"password": NEW}).status_code == 404
    with pytest.raises(ways_back.WayBackVoid):
        ways_back.use(way, NEW)
    assert knows(world.li, PASSWORD)


def test_not_for_who_may_not_sign_in_any_more(world: World) -> None:
    open_ = token(world)
    User.objects.filter(pk=world.li.pk).update(is_active=False)
    assert Client().post(f"/way-back/{open_}/", {"password": NEW}).status_code == 404
    assert knows(world.li, PASSWORD)


def test_nobody_but_operators_makes_one(world: World) -> None:
    strangers: list[tuple[AnyUser, type[Exception]]] = [
        (AnonymousUser(), SignInRequired),
        (world.zhang, NotAllowed),
    ]
    for who, refused in strangers:
        with pytest.raises(refused):
            ways_back.make(who, world.li)
    assert not WayBack.objects.exists()


def test_nobody_of_the_name_and_nobody_who_left(operator: Client, world: World) -> None:
    leave(world.li, PASSWORD, sure=True)
    for typed in ("nobody", "", world.li.username):
        answer = operator.post("/operator/people/ways-back/", {"person": typed})
        assert (answer.status_code, answer.context["problem"].field) == (422, "person")
    with pytest.raises(InvalidInput):
        ways_back.make(world.zhao, User.objects.get(pk=world.li.pk))


# How often


def test_not_as_many_as_one_likes(operator: Client, world: World) -> None:
    for _one in range(ways_back.MOST_MADE):
        ways_back.make(world.zhao, world.li)
    with pytest.raises(TooMany):
        ways_back.make(world.zhao, world.wang)
    answer = operator.post("/operator/people/ways-back/", {"person": "wang"})
    assert answer.status_code == 429


def test_guessing_ends(world: World) -> None:
    open_ = token(world)
    for _one in range(ways_back.MOST_FAILED):
        assert Client().get("/way-back/guessed/").status_code == 404
    assert Client().get("/way-back/guessed/").status_code == 429
    assert Client(REMOTE_ADDR="10.1.2.3").get(f"/way-back/{open_}/").status_code == 200


def test_in_a_local_network_the_code_leads_over_the_page_about_trust(
    operator: Client, world: World, settings: LazySettings, tmp_path: Path
) -> None:
    settings.LAN, settings.DATA_ROOT = True, tmp_path
    page = operator.post("/operator/people/ways-back/", {"person": "li"}, follow=True)
    assert re.search(r"http://[^/\s]+/#/way-back/[\w-]{24}/", page.content.decode())
