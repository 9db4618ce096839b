"""Passkeys, by a keeper of keys in software: made, used, offered, named and removed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.test import Client, RequestFactory

from core.accounts import passkeys
from core.accounts.models import Device, Passkey, User
from core.accounts.passkeys import Place, place_of
from livecommerce.people.export import everything_of
from tests.accounts.authenticator import (
    ADD,
    ASK_MAKE,
    Authenticator,
    added,
    b64,
    options_for,
    post,
    refused,
    signed_in_with,
)
from tests.accounts.sms_gateway import Got, gateway
from tests.accounts.test_own_account import at, leave
from tests.accounts.test_phone_sign_in import (
    ASK,
    CODE,
    MOBILE,
    code_sent,
    who,
)
from tests.world import World


@pytest.fixture
def li(world: World) -> Client:
    client = Client()
    client.force_login(world.li)
    return client


# What goes well


def test_a_passkey_signs_its_owner_in_once_it_is_made(li: Client, world: World) -> None:
    phone = added(li)
    stranger = Client(headers={"user-agent": "Chrome/130.0 (Android)"})
    answer = signed_in_with(stranger, phone, to="/orders/")
    assert answer.json() == {"next": "/orders/"}
    assert who(stranger) == str(world.li.pk)
    stranger.get("/me/", secure=True)
    assert Device.objects.get(user=world.li).agent.startswith("Chrome")
    key = Passkey.objects.get()
    assert (key.user, key.rp_id, key.sign_count) == (world.li, "testserver", 2)
    assert key.used_at is not None


def test_a_key_that_does_not_count_is_let_in_again_and_again(li: Client, world: World) -> None:
    phone = added(li, Authenticator(count=0))
    for _ in range(2):
        client = Client()
        signed_in_with(client, phone)
        assert who(client) == str(world.li.pk)


def test_what_is_asked_for_finds_its_owner_and_wants_them_verified(li: Client) -> None:
    phone = added(li)
    made, signed = post(li, ASK_MAKE).json(), options_for(Client())
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert made["attestation"] == "none"
    assert [one["id"] for one in made["excludeCredentials"]] == [b64(phone.id)]
    assert (signed["userVerification"], signed["rpId"]) == ("required", "testserver")
    assert "allowCredentials" not in signed


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(li: Client, to: str) -> None:
    assert signed_in_with(Client(), added(li), to=to).json() == {"next": "/"}


# Where


@pytest.mark.parametrize(
    ("host", "secure", "place"),
    [
        ("farm.example", True, Place("farm.example", "https://farm.example")),
        ("Farm.Example:8443", True, Place("farm.example", "https://farm.example:8443")),
        ("localhost:8000", False, Place("localhost", "http://localhost:8000")),
        ("farm.example", False, None),
        ("192.168.1.5:8443", True, None),
        ("[::1]:8443", True, None),
    ],
)
def test_passkeys_need_a_name_and_https(
    settings: LazySettings, host: str, secure: bool, place: Place | None
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert place_of(RequestFactory().get("/", headers={"host": host}, secure=secure)) == place


def test_forwarded_hosts_are_not_believed(settings: LazySettings) -> None:
    told = {"host": "farm.example", "x-forwarded-host": "evil.example"}
    settings.ALLOWED_HOSTS = ["*"]
    request = RequestFactory().get("/", headers=told, secure=True)
    assert place_of(request) == Place("farm.example", "https://farm.example")


def test_an_address_says_so_and_a_name_does_not(li: Client, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS, settings.LAN = ["192.168.1.5", "testserver"], True
    by_address = {"headers": {"host": "192.168.1.5:8443"}, "secure": True}
    page = li.get("/me/passkeys/", **by_address).content.decode()
    assert "Passkeys need a name" in page
    assert ".local:" in page
    assert "Passkeys need a name" not in li.get("/me/passkeys/", secure=True).content.decode()
    assert 'id="passkey"' not in Client().get("/accounts/login/", **by_address).content.decode()
    assert 'id="passkey"' in Client().get("/accounts/login/", secure=True).content.decode()
    assert li.post(ASK_MAKE, **by_address).status_code == 404


def test_a_passkey_opens_the_name_it_was_made_for_only(
    li: Client, world: World, settings: LazySettings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    phone = added(li)
    phone.origin, phone.rp_id = "https://other.example", "other.example"
    client = Client(headers={"host": "other.example"})
    refused(signed_in_with(client, phone))
    assert who(client) is None


# Whose, and how many


def test_a_passkey_is_one_persons(li: Client, world: World) -> None:
    phone, gao = added(li), Client()
    gao.force_login(world.gao)
    made = phone.make(post(gao, ASK_MAKE).json())
    refused(post(gao, ADD, {"credential": made}), "passkey_known", 409)
    assert Passkey.objects.get().user == world.li


def test_there_is_an_end_to_passkeys(li: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys, "MOST", 2)
    asked = post(li, ASK_MAKE).json()
    added(li), added(li)
    refused(post(li, ASK_MAKE), "too_many_passkeys", 409)
    made = Authenticator().make(asked)
    refused(post(li, ADD, {"credential": made}), "too_many_passkeys", 409)


def test_strangers_add_none(client: Client) -> None:
    for path in (ASK_MAKE, ADD):
        refused(post(client, path), "sign_in_required", 401)
    assert client.get("/me/passkeys/").status_code == 302


def test_another_name_and_away(li: Client, world: World) -> None:
    phone, gao = added(li), Client()
    gao.force_login(world.gao)
    here = f"/me/passkeys/{Passkey.objects.get().public_id}"
    li.post(f"{here}/rename/", {"name": " My\u202e phone "})
    li.post(f"{here}/rename/", {"name": "x" * 1_000_000})
    assert gao.post(f"{here}/rename/", {"name": "Gao's"}).status_code == 404
    assert gao.post(f"{here}/remove/").status_code == 404
    assert Passkey.objects.get().name == "My phone"
    li.post(f"{here}/remove/")
    client = Client()
    refused(signed_in_with(client, phone))
    assert who(client) is None


def test_an_operator_takes_a_lost_phones_key_away(li: Client, world: World) -> None:
    added(li)
    zhao = Client()
    User.objects.filter(pk=world.zhao.pk).update(is_staff=True, is_superuser=True)
    zhao.force_login(world.zhao)
    page = zhao.get(f"/admin/accounts/user/{world.li.pk}/change/")
    keys = next(one for one in page.context["inline_admin_formsets"] if one.opts.model is Passkey)
    assert keys.formset.can_delete
    assert not keys.has_add_permission
    assert "testserver" in page.content.decode()


def test_who_may_not_come_in_does_not_by_passkey(li: Client, world: World) -> None:
    phone, client = added(li), Client()
    User.objects.filter(pk=world.li.pk).update(is_active=False)
    refused(signed_in_with(client, phone))
    assert who(client) is None


def test_passkeys_are_part_of_ones_data_and_go_with_it(world: World) -> None:
    client = at(world.li)
    added(client)
    (told,) = everything_of(world.li)["passkeys"]  # type: ignore[misc]
    assert (told["opens"], told["used_at"]) == ("testserver", None)
    assert "key" not in told
    assert leave(client)["Location"] == "/"
    assert not Passkey.objects.exists()


def test_signing_out_everywhere_leaves_the_passkeys(li: Client, world: World) -> None:
    phone = added(li)
    li.post("/me/devices/sign-out/")
    client = Client()
    signed_in_with(client, phone)
    assert who(client) == str(world.li.pk)


# After a code


@pytest.fixture
def got(settings: LazySettings) -> Iterator[Got]:
    with gateway() as found:
        settings.SMS_URL = found.url
        yield found


def test_who_came_by_a_code_is_asked_once_whether_it_shall_be_easier(
    world: World, got: Got
) -> None:
    User.objects.filter(pk=world.li.pk).update(phone=MOBILE)
    client = Client()
    client.post(ASK, {"phone": MOBILE}, secure=True)
    client.post(CODE, {"code": code_sent(got)}, secure=True)
    shown = [
        'id="passkey-offer"' in client.get(path, secure=True).content.decode()
        for path in (f"/shows/{world.show.public_id}/", "/", "/")
    ]
    assert shown == [False, True, False]  # not in the room, where it would be in the way


def test_who_has_a_passkey_is_not_asked(li: Client, world: World, got: Got) -> None:
    added(li)
    User.objects.filter(pk=world.li.pk).update(phone=MOBILE)
    client = Client()
    client.post(ASK, {"phone": MOBILE}, secure=True)
    client.post(CODE, {"code": code_sent(got)}, secure=True)
    assert who(client) == str(world.li.pk)
    assert 'id="passkey-offer"' not in client.get("/", secure=True).content.decode()
