"""Invitations on paper: one person, once; anything else is one clear page and changes nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from core.accounts.access import has_role
from core.accounts.models import Invitation, Role, User
from core.clock import now
from core.errors import InvalidInput
from livecommerce.people import invitations
from sellers.models import Member
from tests.accounts.sms_gateway import gateway
from tests.accounts.test_phone_sign_in import code_sent
from tests.orders.racing import report_of
from tests.world import World

MEI = {"name": "Mei", "login": "mei", "password": "pear-tree-by-the-well"}


@pytest.fixture
def operator(world: World) -> Client:
    client = Client()
    client.force_login(world.zhao)
    return client


def invited(world: World, role: str = "host", name: str = "Mei") -> str:
    """The token on a sheet."""
    seller = None if role in {"trainee", "mentor"} else world.farm
    batch = invitations.invite([name], role=role, seller=seller, days=14, made_by=world.zhao)
    return invitations.token_of(Invitation.objects.get(batch=batch))


def roles(user: User) -> set[str]:
    return set(Member.objects.filter(user=user).values_list("role", flat=True))


def state() -> tuple[Any, ...]:
    return User.objects.count(), Member.objects.count(), list(Invitation.objects.values())


def invite(operator: Client, world: World, **changes: object) -> Any:
    form = {"names": "Mei\n\n Hua \n", "as": f"host:{world.farm.public_id.hex}", "days": "14"}
    return operator.post("/operator/people/invite/", form | changes, follow=True)


# Making and printing


def test_an_operator_prints_a_sheet_from_which_a_farmer_joins(
    operator: Client, world: World
) -> None:
    page = invite(operator, world).content.decode()
    assert page.count("data:image/svg+xml") == 2
    address = re.findall(r"http://testserver(/join/[\w-]+/)", page)[0]

    farmer = Client()
    assert "Zhang&#x27;s orchard" in farmer.get(address).content.decode()
    answer = farmer.post(address, MEI)

    mei = User.objects.get(username="mei")
    assert (answer.status_code, answer["Location"]) == (302, "/studio/")
    assert farmer.session["_auth_user_id"] == str(mei.pk)
    assert roles(mei) == {"host"}
    assert not roles(User.objects.get(username="li"))


def test_on_a_local_network_a_sheet_leads_over_the_page_that_explains_trust(
    operator: Client, world: World, settings: LazySettings, tmp_path: Path
) -> None:
    """By plain HTTP, and with the secret where a browser does not send it."""
    settings.LAN, settings.PORT, settings.DATA_ROOT = True, 8000, tmp_path
    invite(operator, world)
    settings.ALLOWED_HOSTS = ["localhost", "192.168.77.5"]
    batch = Invitation.objects.all()[0].batch
    for host, shown in (("192.168.77.5:8443", r"192\.168\.77\.5"), ("localhost:8000", r"[\d.]+")):
        page = operator.get(f"/operator/people/sheets/{batch}/", headers={"host": host})
        text = page.content.decode()
        assert len(re.findall(rf">http://{shown}:8000/#/join/[\w-]+/<", text)) == 2
        assert "data-print" in text


@pytest.mark.parametrize(
    ("hosts", "advice"), [([], "with --lan"), (["*", ".a.test", "shop.test"], "under shop.test,")]
)
def test_a_sheet_that_no_phone_could_use_is_not_offered_for_print(
    hosts: list[str], advice: str, operator: Client, world: World, settings: LazySettings
) -> None:
    invite(operator, world)
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *hosts]
    batch = Invitation.objects.all()[0].batch
    page = operator.get(f"/operator/people/sheets/{batch}/", headers={"host": "localhost:8000"})
    assert advice in page.content.decode()
    assert "data-print" not in page.content.decode()


def test_list_and_sheet_name_the_same_last_day(operator: Client, world: World) -> None:
    sheet = invite(operator, world).content.decode()
    (day,) = set(re.findall(r"until (\d{4}-\d\d-\d\d)", sheet))
    assert f"open until {day}<" in operator.get("/operator/people/").content.decode()


def test_a_sheet_speaks_two_languages(operator: Client, world: World) -> None:
    page = invite(operator, world).content.decode()
    assert 'lang="zh-Hans"' in page
    assert 'lang="en"' in page


@pytest.mark.parametrize(
    "changes",
    [
        {"names": " \n"},
        {"names": "x\n" * 61},
        {"names": "x" * 1_000_000},
        {"as": ""},
        {"as": "operator"},
        {"as": "host:"},
        {"as": "host:00000000000000000000000000000000"},
        {"days": "0"},
        {"days": "91"},
        {"days": "٣"},
    ],
)
def test_what_cannot_be_made_is_said_and_kept(
    operator: Client, world: World, changes: dict[str, str]
) -> None:
    assert invite(operator, world, **changes).status_code == 422
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("who", ["", "zhang", "gao"])
def test_only_operators_invite_print_and_revoke(world: World, who: str) -> None:
    invited(world)
    one = Invitation.objects.get()
    client = Client()
    if who:
        client.force_login(getattr(world, who))
    before = state()
    answers = [
        client.get("/operator/people/"),
        invite(client, world),
        client.get(f"/operator/people/sheets/{one.batch}/"),
        client.post(f"/operator/people/invitations/{one.public_id}/revoke/"),
        client.post(
            f"/operator/people/{world.farm.public_id}/{world.zhang.public_id}/", {"role": ""}
        ),
    ]
    assert {answer.status_code for answer in answers} <= {302, 403, 200}
    assert not any("invitation__qr" in answer.content.decode() for answer in answers)
    assert state() == before


# Using


def test_a_phone_number_is_a_name_to_sign_in_with(client: Client, world: World) -> None:
    client.post(f"/join/{invited(world)}/", MEI | {"login": "139 1234 5678"})
    again = Client()
    again.post("/accounts/login/", {"login": "13912345678", "password": MEI["password"]})
    assert User.objects.get(pk=again.session["_auth_user_id"]).shown_name == "Mei"


def test_who_has_an_account_joins_with_it(client: Client, world: World) -> None:
    client.force_login(world.li)
    client.post(f"/join/{invited(world, 'packer')}/")
    assert roles(world.li) == {"packer"}


def test_an_owner_hosts_too_and_a_trainee_belongs_to_no_shop(world: World) -> None:
    invitations.accept(invited(world, "owner"), world.li)
    invitations.accept(invited(world, "trainee"), world.gao)
    assert roles(world.li) == {"owner", "host"}
    assert has_role(world.gao, Role.TRAINEE)


def test_by_code_even_where_nobody_else_may_make_an_account(
    client: Client, world: World, settings: LazySettings
) -> None:
    settings.SIGN_UP = False
    with gateway() as got:
        settings.SMS_URL = got.url
        address = f"/join/{invited(world)}/"
        asked = client.post(address, {"by_code": "1"})
        client.post(asked["Location"], {"phone": "13912345678", "next": address})
        client.post("/accounts/phone/code/", {"code": code_sent(got)})
        assert client.post("/accounts/phone/name/", {"name": "Mei"})["Location"] == address
        client.post(address)
    assert roles(User.objects.get(phone="+8613912345678")) == {"host"}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", "\u202e"),
        ("name", "M" * 1_000_000),
        ("login", "zhang"),
        ("login", "ZHANG"),
        ("login", "left:me"),
        ("login", ""),
        ("password", "short"),
        ("password", ""),
    ],
)
def test_what_is_wrong_is_said_and_the_invitation_stays(
    client: Client, world: World, field: str, typed: str
) -> None:
    token = invited(world)
    before = state()
    answer = client.post(f"/join/{token}/", MEI | {field: typed})
    assert (answer.status_code, answer.context["problem"].field) == (422, field)
    assert state() == before
    assert client.post(f"/join/{token}/", MEI).status_code == 302


# Void


def void(answer: HttpResponse) -> str:
    """The page, without what is another one each time."""
    assert answer.status_code == 404
    return re.sub(r'"\w{64}"|(/|%2F)join[^"&]*| data-sent-back', "", answer.content.decode())


def test_used_revoked_over_and_guessed_are_one_page_and_change_nothing(world: World) -> None:
    used, revoked, over = invited(world), invited(world), invited(world)
    invitations.accept(used, world.wang)
    invitations.revoke(Invitation.objects.get(digest=invitations._digest(revoked)).public_id)
    Invitation.objects.filter(digest=invitations._digest(over)).update(
        ends_at=now() - timedelta(seconds=1)
    )
    before = state()
    pages = set()
    for token in (used, revoked, over, "x" * 24, used[:-1], "a" * 500, "\u202e", "é"):
        pages.add(void(Client().get(f"/join/{token}/")))
        pages.add(void(Client().post(f"/join/{token}/", MEI)))
        pages.add(void(Client().post(f"/join/{token}/", {"by_code": "1"})))
    assert len(pages) == 1
    assert state() == before


def test_it_ends_by_itself(client: Client, world: World) -> None:
    token = invited(world)
    with time_machine.travel(now() + timedelta(days=15)):
        assert client.post(f"/join/{token}/", MEI).status_code == 404


def test_a_sheet_of_another_instance_opens_nothing(
    client: Client, world: World, settings: LazySettings
) -> None:
    invited(world)
    settings.SECRET_KEY = "of another instance"
    token = invitations.token_of(Invitation.objects.get())
    assert client.get(f"/join/{token}/").status_code == 404


def test_what_was_used_cannot_be_revoked_and_is_not_printed(operator: Client, world: World) -> None:
    token = invited(world)
    invitations.accept(token, world.li)
    one = Invitation.objects.get()
    assert not invitations.revoke(one.public_id)
    page = operator.get(f"/operator/people/sheets/{one.batch}/").content.decode()
    assert token not in page


def test_an_operator_cannot_be_made_on_paper(world: World) -> None:
    with pytest.raises(InvalidInput):
        invitations.invite(["Mei"], role="operator", seller=None, days=1, made_by=world.zhao)


# What those of a shop may do


def test_the_last_owner_stays_until_there_is_another(operator: Client, world: World) -> None:
    address = f"/operator/people/{world.farm.public_id}/{world.zhang.public_id}/"
    page = operator.post(address, {"role": ""}, follow=True).content.decode()
    assert "only owner" in page
    operator.post(address, {"role": "packer"})
    assert roles(world.zhang) == {"owner", "host"}

    invitations.accept(invited(world, "owner"), world.li)
    operator.post(address, {"role": "packer"})
    assert roles(world.zhang) == {"packer"}
    operator.post(address, {"role": ""})
    assert roles(world.zhang) == set()


# Two phones at once


@pytest.mark.process
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_many_phones_one_joins_and_codes_are_tried_five_times(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file = f"sqlite:///{tmp_path / 'race.sqlite3'}"
    url = file if database == "sqlite" else request.getfixturevalue("postgres_url")
    found = report_of("tests.accounts.invitation_race", url)
    assert found["claimed"] == {
        "outcomes": {"joined": 1, "InvitationVoid": 7},
        "people": 1,
        "members": 1,
    }
    assert found["looked at only"]["people"] > 1, "the race would not be noticed"
    assert found["guesses"] == {"WrongCode": 5, "CodeOver": 11}
    assert found["the code"] == {"in": 1, "CodeOver": 7}
