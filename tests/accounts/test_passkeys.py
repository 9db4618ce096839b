"""Passkeys, by a keeper of keys in software: made, used, lied about, replayed, copied, removed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client, RequestFactory
from fido2 import cbor

from core.accounts import passkeys
from core.accounts.models import Device, Passkey, PasskeyChallenge, User
from core.accounts.passkeys import Place, place_of
from livecommerce.people.export import everything_of
from tests.accounts.authenticator import (
    ADD,
    ASK_MAKE,
    ASK_SIGN,
    SIGN_IN,
    Authenticator,
    added,
    b64,
    options_for,
    post,
    signed_in_with,
)
from tests.accounts.sms_gateway import Got, gateway
from tests.accounts.test_own_account import at, leave
from tests.accounts.test_phone_sign_in import (
    ASK,
    CODE,
    MOBILE,
    code_sent,
    later,
    who,
)
from tests.world import World


@pytest.fixture
def li(world: World) -> Client:
    client = Client()
    client.force_login(world.li)
    return client


def refused(answer: Any, code: str = "passkey_refused", status: int = 422) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content


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


# Lies


@pytest.mark.parametrize(
    "lies",
    [
        {"origin": "https://testserver.evil.example"},
        {"origin": "http://testserver"},
        {"origin": ["https://testserver"]},
        {"type": "webauthn.create"},
        {"crossOrigin": True},
        {"challenge": 10**10},
        {"challenge": None},
    ],
)
def test_another_page_signs_nobody_in(li: Client, lies: dict[str, Any]) -> None:
    client = Client()
    refused(signed_in_with(client, added(li), **lies))
    assert who(client) is None


@pytest.mark.parametrize(
    "lie",
    [
        lambda phone: setattr(phone, "rp_id", "evil.example"),
        lambda phone: setattr(phone, "verifies", False),
        lambda phone: setattr(phone, "key", Authenticator().key),
        lambda phone: setattr(phone, "id", b"unknown"),
        lambda phone: setattr(phone, "user_handle", b""),
    ],
)
def test_a_lying_key_signs_nobody_in(li: Client, lie: Callable[[Authenticator], None]) -> None:
    phone, client = added(li), Client()
    lie(phone)
    refused(signed_in_with(client, phone))
    assert who(client) is None
    assert Passkey.objects.get().sign_count == 1


def test_a_key_signs_nobody_else_in(li: Client, world: World) -> None:
    phone, client = added(li), Client()
    phone.user_handle = world.gao.public_id.bytes
    refused(signed_in_with(client, phone))
    assert who(client) is None


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature"])
def test_what_was_changed_on_its_way_is_refused(li: Client, part: str) -> None:
    phone, client = added(li), Client()
    signed = phone.sign(options_for(client))
    was = signed["response"][part]
    signed["response"][part] = was[:45] + ("A" if was[45] != "A" else "B") + was[46:]
    assert post(client, SIGN_IN, {"credential": signed}).status_code in {409, 422}
    assert who(client) is None


NESTED = b64(b"\x81" * 6000)
HUGE = b64(b"\x9b" + b"\xff" * 8)
ZEROS = b64(cbor.encode({"fmt": "none", "authData": 10**10, "attStmt": {}}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 15_000,
        b'{"credential": {"rawId": 10000000000, "type": "public-key", "response": {}}}',
        b'{"credential": null}',
    ],
)
def test_what_is_no_passkey_at_all_is_refused(li: Client, body: bytes) -> None:
    for client, path in ((Client(), SIGN_IN), (li, ADD)):
        refused(client.generic("POST", path, body, "application/json", secure=True))


@pytest.mark.parametrize("whole", [NESTED, HUGE, ZEROS, "", "not base64", b64(cbor.encode({}))])
def test_what_is_no_attestation_is_refused(li: Client, whole: str) -> None:
    made = Authenticator().make(post(li, ASK_MAKE).json())
    made["response"]["attestationObject"] = whole
    refused(post(li, ADD, {"credential": made}))


@pytest.mark.parametrize("size", [17_000, 3_000_000])
def test_a_huge_body_is_not_looked_at(li: Client, size: int) -> None:
    for client, path in ((Client(), SIGN_IN), (li, ADD)):
        answer = client.generic("POST", path, b" " * size, "application/json", secure=True)
        refused(answer, "too_big", 413)


@pytest.mark.parametrize(
    ("lie", "lies"),
    [
        ({"origin": "https://evil.example"}, {}),
        ({"rp_id": "evil.example"}, {}),
        ({"verifies": False}, {}),
        ({"alg": -65535}, {}),  # RSA with SHA-1, which fido2 can, and nobody asked for
        ({"alg": -999}, {}),
        ({"id": b"x" * 1024}, {}),
        ({"id": b""}, {}),
        ({}, {"type": "webauthn.get"}),
        ({}, {"crossOrigin": True}),
    ],
)
def test_a_lying_key_is_not_kept(li: Client, lie: dict[str, Any], lies: dict[str, Any]) -> None:
    made = Authenticator(**lie).make(post(li, ASK_MAKE).json(), **lies)
    refused(post(li, ADD, {"credential": made}))
    assert not Passkey.objects.exists()


def test_a_key_under_another_keys_name_is_not_kept(li: Client) -> None:
    made = Authenticator().make(post(li, ASK_MAKE).json()) | {"rawId": b64(b"another")}
    refused(post(li, ADD, {"credential": made}))
    assert not Passkey.objects.exists()


# Challenges


def test_a_signature_is_good_once(li: Client, world: World) -> None:
    phone, client = added(li), Client()
    sent = {"credential": phone.sign(options_for(client))}
    assert post(client, SIGN_IN, sent).status_code == 200
    client.post("/accounts/logout/")
    refused(post(client, SIGN_IN, sent), "passkey_over", 409)
    assert who(client) is None


def test_a_signature_that_failed_is_used_up(li: Client) -> None:
    phone, client = added(li), Client()
    asked = options_for(client)
    refused(post(client, SIGN_IN, {"credential": phone.sign(asked, origin="https://evil.example")}))
    refused(post(client, SIGN_IN, {"credential": phone.sign(asked)}), "passkey_over", 409)


def test_a_signature_is_no_use_in_another_browser(li: Client) -> None:
    phone, client, thief = added(li), Client(), Client()
    sent = {"credential": phone.sign(options_for(client))}
    options_for(thief)
    refused(post(thief, SIGN_IN, sent), "passkey_over", 409)
    assert who(thief) is None


def test_challenges_end_and_are_forgotten(li: Client) -> None:
    phone, client = added(li), Client()
    asked = options_for(client)
    with later(minutes=5, seconds=1):
        sent = {"credential": phone.sign(asked)}
        refused(post(client, SIGN_IN, sent), "passkey_over", 409)
        passkeys.forget_old()
    assert not PasskeyChallenge.objects.exists()


def test_what_was_asked_for_one_thing_does_not_do_another(li: Client, world: World) -> None:
    phone, client = added(li), Client()
    to_sign, to_make = options_for(li), post(li, ASK_MAKE).json()
    made = Authenticator().make({**to_make, "challenge": to_sign["challenge"]})
    refused(post(li, ADD, {"credential": made}), "passkey_over", 409)
    refused(post(li, SIGN_IN, {"credential": phone.sign(to_make)}), "passkey_over", 409)
    client.force_login(world.gao)
    refused(post(client, ADD, {"credential": Authenticator().make(to_make)}), "passkey_over", 409)
    assert Passkey.objects.count() == 1


# Copies


def test_a_copy_is_refused_and_told_of(
    li: Client, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    phone = added(li)
    copy = Authenticator(count=1, id=phone.id, key=phone.key, user_handle=phone.user_handle)
    signed_in_with(Client(), phone)
    signed_in_with(Client(), phone)
    thief = Client()
    with caplog.at_level(logging.WARNING):
        refused(signed_in_with(thief, copy), "passkey_copied")
    assert who(thief) is None
    assert "copied" in caplog.text
    # Nobody knows which of the two is the owner's.
    refused(signed_in_with(Client(), phone), "passkey_copied")
    owner = Client()
    owner.post("/accounts/login/", {"login": "li", "password": "orchard-in-bloom"})
    assert "may have been copied" in owner.get("/").content.decode()
    assert "May have been copied" in owner.get("/me/passkeys/", secure=True).content.decode()


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


# How often


def test_ten_failures_a_minute_are_enough_for_one_address(li: Client) -> None:
    phone, client = added(li), Client()
    good = {"credential": phone.sign(options_for(client))}
    for _ in range(10):
        refused(post(client, SIGN_IN, {"credential": None}))
    answer = post(client, SIGN_IN, good)
    refused(answer, "too_many", 429)
    assert int(answer["Retry-After"]) > 0
    assert who(client) is None
    elsewhere = post(client, SIGN_IN, good, REMOTE_ADDR="198.51.100.7")
    assert elsewhere.status_code == 200


def test_one_address_does_not_fill_the_table(client: Client, world: World) -> None:
    for _ in range(30):
        assert post(client, ASK_SIGN).status_code == 200
    refused(post(client, ASK_SIGN), "too_many", 429)


def test_a_page_elsewhere_signs_nobody_in(li: Client) -> None:
    sent = {"credential": added(li).sign(options_for(Client()))}
    client = Client(enforce_csrf_checks=True)
    for path in (ASK_SIGN, SIGN_IN, ASK_MAKE, ADD):
        assert post(client, path, sent).status_code == 403
