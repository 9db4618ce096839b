"""What was tried on the front door: guessing elsewhere, many addresses, papers that are void."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from core.accounts import services
from core.accounts.models import Invitation, Role, User
from core.callers import network_of
from livecommerce.people import invitations
from sellers.models import MemberRole
from sellers.services import people
from streams.studio.access import shows_of
from tests.accounts.sms_gateway import gateway
from tests.accounts.test_invitations import invited
from tests.accounts.test_phone_sign_in import code_sent
from tests.world import PASSWORD, World


@pytest.fixture(autouse=True)
def uncounted() -> None:
    cache.clear()  # where wrong passwords are counted


def guessed_too_often(client: Client, address: str) -> bool:
    typed = {"login": "zhao", "password": "guessed"}
    answer = client.post("/accounts/login/", typed, REMOTE_ADDR=address)
    return "Too many failed login attempts" in answer.content.decode()


def test_the_admin_has_no_door_of_its_own_to_guess_at(client: Client, world: World) -> None:
    services.grant(world.zhao, Role.OPERATOR)
    right = {"username": "zhao", "password": PASSWORD}
    answer = client.post("/admin/login/?next=/admin/", right)
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert "_auth_user_id" not in client.session


def test_wrong_passwords_are_counted_by_network(client: Client, world: World) -> None:
    """Whoever has one IPv6 address has a network of them."""
    said = [guessed_too_often(client, f"2001:db8:0:7::{number:x}") for number in range(11)]
    assert said == [False] * 10 + [True]
    assert not guessed_too_often(client, "2001:db8:0:8::1")


def test_codes_are_counted_by_network(client: Client, world: World, settings: LazySettings) -> None:
    with gateway() as got:
        settings.SMS_URL = got.url
        for number in range(11):
            answer = client.post(
                "/accounts/phone/",
                {"phone": f"1391234567{number % 10}" if number < 10 else "13812345678"},
                REMOTE_ADDR=f"2001:db8:0:7::{number:x}",
            )
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:7:1:2:3:4", "2001:db8:0:7::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_network_is_what_one_household_has(rf: Client, address: str, network: str) -> None:
    assert network_of(rf.get("/", REMOTE_ADDR=address)) == network  # type: ignore[arg-type]


def test_a_revoked_invitation_makes_no_account_for_who_had_begun(
    client: Client, world: World, settings: LazySettings
) -> None:
    settings.SIGN_UP = False
    with gateway() as got:
        settings.SMS_URL = got.url
        address = f"/join/{invited(world)}/"
        asked = client.post(address, {"by_code": "1"})
        client.post(asked["Location"], {"phone": "13912345678", "next": address})
        client.post("/accounts/phone/code/", {"code": code_sent(got)})
        assert invitations.revoke(Invitation.objects.get().public_id)
        assert client.post("/accounts/phone/name/", {"name": "Mei"}).status_code == 403
    assert not User.objects.filter(phone="+8613912345678").exists()


def test_who_was_removed_finds_no_show_of_theirs_in_the_studio(world: World) -> None:
    people.add_member(world.farm, world.gao, MemberRole.OWNER)
    assert list(shows_of(world.zhang)) == [world.show]
    people.remove_member(world.farm, world.zhang)
    assert not shows_of(world.zhang).exists()


def test_what_nobody_stopped_cannot_be_released(client: Client, world: World) -> None:
    client.force_login(world.zhao)
    assert client.post(f"/operator/shows/{world.show.public_id}/release/").status_code == 404


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/orders/", "private, no-store"),
        ("/api/v1/orders", "private, no-store"),
        ("/learn/", "private, no-cache"),
        ("/studio/", "private, no-cache"),
    ],
)
def test_pages_of_one_person_are_kept_by_no_other(
    client: Client, world: World, address: str, said: str
) -> None:
    client.force_login(world.zhang)
    assert client.get(address)["Cache-Control"] == said
    assert "Cache-Control" not in Client().get("/learn/")
