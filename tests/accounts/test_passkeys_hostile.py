"""What passkeys are attacked with: lies, replays, copies, bytes that are none, many at once."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.test import Client
from fido2 import cbor

from core.accounts.models import Passkey, PasskeyChallenge
from core.accounts.passkey_views import BodyTooBig, SigningIn, body_of
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
    refused,
    signed_in_with,
)
from tests.accounts.test_phone_sign_in import later, who
from tests.world import World


@pytest.fixture
def li(world: World) -> Client:
    client = Client()
    client.force_login(world.li)
    return client


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


def test_a_huge_body_of_which_nothing_was_said_is_not_looked_at() -> None:
    scope = {"type": "http", "method": "POST", "path": SIGN_IN, "headers": []}
    with pytest.raises(BodyTooBig):
        body_of(ASGIRequest(scope, io.BytesIO(b" " * 17_000)), SigningIn)


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
        PasskeyChallenge.forget_old()
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
