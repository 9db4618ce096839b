"""What strangers show us: each is told in words what it is, and nothing of it does any harm."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import zlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openbadgeslib import baking

from core.clock import now
from courses.badges import checking, credential, drawing, issuing, keys
from courses.badges.models import Badge, SigningKey, Terms
from courses.badges.terms import Shown
from courses.models import Certificate
from tests.courses.badges.conftest import SITE
from tests.world import World


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def b64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def written(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None = None) -> str:
    """A JWT as nobody's library would make it."""
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    code = hmac.new(secret, text.encode(), hashlib.sha256).digest() if secret else b""
    return f"{text}.{b64(code)}"


def test_ours_is_valid_in_every_form(badge: Badge) -> None:
    certificate = badge.certificate
    number = certificate.number.replace("0", "o").replace("1", "l").lower().replace("-", " ")
    link = SITE + certificate.get_absolute_url()
    picture = drawing.baked(badge)
    for text in (badge.token, link, f" {number} ", credential.badge_url(badge)):
        assert checking.check_text(text).kind == "valid", text
    for content in (picture, baked_svg(badge.token), badge.token.encode()):
        found = checking.check_file(content, len(content))
        assert (found.kind, found.certificate) == ("valid", certificate)


def baked_svg(token: str) -> bytes:
    plain = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    names = {"element": baking.SVG_ELEMENT_OB3, "namespace": baking.SVG_NS_OB3}
    return bytes(baking.bake_svg(plain, token, **names))


def test_no_header_chooses_how_it_is_checked(badge: Badge) -> None:
    """`none`; HMAC by the public key; a key that it brings along; another family's algorithm."""
    claims = claims_of(badge.token)
    kid = jwt.get_unverified_header(badge.token)["kid"]
    private = rsa.generate_private_key(65537, 2048)
    theirs = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    public = json.dumps(badge.key.public_jwk).encode()
    forged = {
        "none": written({"alg": "none", "kid": kid}, claims),
        "hmac": written({"alg": "HS256", "kid": kid}, claims, public),
        "their key": jwt.encode(claims, private, "RS256", headers={"jwk": theirs}),
        "their key as ours": jwt.encode(claims, private, "RS256", headers={"kid": kid}),
        "another hash": jwt.encode(claims, keys.current()[1], "RS512", headers={"kid": kid}),
    }
    found = {name: checking.check_text(token).kind for name, token in forged.items()}
    assert found == dict.fromkeys(forged, "forged") | {"their key as ours": "changed"}


def test_a_badge_that_says_something_else_is_changed(badge: Badge) -> None:
    head, _body, signature = badge.token.split(".")
    claims = claims_of(badge.token)
    claims["credentialSubject"]["identifier"][0]["identityHash"] = "Gao"
    assert checking.check_text(f"{head}.{b64(json.dumps(claims).encode())}.{signature}").kind == (
        "changed"
    )


def test_a_badge_of_others_is_theirs_to_check(badge: Badge) -> None:
    private = rsa.generate_private_key(65537, 2048)
    claims = claims_of(badge.token) | {"iss": "https://other.example/issuer"}
    found = checking.check_text(jwt.encode(claims, private, "RS256"))
    assert found.kind == "foreign"
    assert "other.example" in found.words


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"iss": "http://[x]/"}, "foreign"),
        ({"iss": "https://\ud800.example/"}, "foreign"),
        ({"iss": "\ud800"}, "no_badge"),
        ({"iss": "\u202e"}, "no_badge"),
    ],
)
def test_an_issuer_that_is_no_address_is_an_answer(
    client: Client, db: None, claims: dict[str, Any], kind: str
) -> None:
    token = written({"alg": "RS256"}, {"type": ["VerifiableCredential"], **claims})
    assert checking.check_text(token).kind == kind
    assert client.post("/verify/", {"text": token}).status_code == 422


def test_an_issuer_cannot_turn_our_words_round(db: None) -> None:
    token = written({"alg": "RS256"}, {"type": ["x"], "iss": "https://a\u202eb.example"})
    assert "by ab.example, whom" in checking.check_text(token).words


@pytest.mark.parametrize("kid", ["\ud800", "\0", "https://a.example/\ud800/", ""])
def test_a_key_whose_name_cannot_be_is_not_ours(db: None, kid: str) -> None:
    token = written({"alg": "RS256", "kid": kid}, {"type": ["x"], "iss": "https://a.example"})
    assert checking.check_text(token).kind == "foreign"


@pytest.mark.parametrize("start", ["http://[x]/", "http://[", "https://[::1/"])
def test_a_link_that_is_no_address_is_an_answer(client: Client, db: None, start: str) -> None:
    text = f"{start}{uuid4()}"
    assert checking.check_text(text).kind == "unknown"
    assert client.get("/verify/", {"text": text}).status_code == 422


def test_expired_revoked_and_replaced_are_told_apart(
    badge: Badge, certificate: Certificate, world: World
) -> None:
    issuing.revoke(certificate, world.chen, "It was somebody else's show.")
    found = checking.check_text(badge.token)
    assert (found.kind, "somebody else's show" in found.words) == ("revoked", True)
    issuing.restore(certificate, world.zhao)
    assert checking.check_text(badge.token).is_valid
    newer = issuing.choose(certificate, Shown(), SITE)
    assert checking.check_text(badge.token).kind == "replaced"
    assert checking.check_text(newer.token).is_valid
    Terms.objects.update(expires_at=now() - timedelta(days=1))
    assert checking.check_text(newer.token).kind == "expired"
    assert checking.check_text(certificate.number).kind == "expired"


def test_what_a_stolen_key_signs_is_not_ours(badge: Badge, certificate: Certificate) -> None:
    """While it is not known to be stolen: there is no such badge. Afterwards: none by it holds."""
    private = keys.current()[1]
    claims = claims_of(badge.token)
    claims["jti"] = claims["id"] = f"{SITE}/badges/01a205bd-0473-7057-9133-fe6e62b7cd94/"
    stolen = credential.signed(claims, SITE, badge.key, private)
    assert checking.check_text(stolen).kind == "unknown"
    keys.withdraw(badge.key.kid)
    assert issuing.sign_again(badge.key.kid) == 1
    assert checking.check_text(badge.token).kind == "replaced"
    newer = issuing.badge_of(certificate)
    assert newer is not None
    assert newer.key != badge.key
    assert checking.check_text(newer.token).is_valid
    assert Client().get(f"/badges/keys/{badge.key.kid}/").status_code == 404


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
    return checking.PNG + b"".join((header, *chunks, chunk(b"IEND", b"")))


BOMB = zlib.compress(b"\0" * 50_000_000, 9)
NAMED = b"openbadgecredential\0"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "nothing"),
        (b"\xff\xd8\xff\xe0 a photo", "no_badge"),
        (b"\x00\x01\x02", "no_badge"),
        (b"just words", "no_badge"),
        (b'{"type": "BadgeClass"}', "foreign"),
        (png(), "no_badge"),
        (png(chunk(b"IDAT", BOMB)), "no_badge"),
        (png(chunk(b"iTXt", NAMED + b"\1\0\0\0" + BOMB)), "damaged"),
        (png(chunk(b"iTXt", NAMED + b"\1\0\0\0nothing packed")), "damaged"),
        (png(chunk(b"iTXt", NAMED + b"\0\0\0\0\xff\xfe")), "damaged"),
        (png(chunk(b"iTXt", NAMED + b"\0\0\0\0words")), "no_badge"),
        (png()[:40], "damaged"),
        (checking.PNG + struct.pack(">I", 2**31) + b"iTXt", "damaged"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><svg>&b;</svg>', "damaged"),
        (b"<svg>" * 50_000, "damaged"),
        (b"eyJhbGciOiJSUzI1NiJ9." + b"W1tb" * 20_000 + b".x", "no_badge"),
        (b"ey" + b"." * 1000, "no_badge"),
        (f"{b64(b'[1]')}.{b64(b'[]')}.".encode(), "no_badge"),
    ],
)
def test_what_is_no_badge_is_told_so(badge: Badge, content: bytes, kind: str) -> None:
    found = checking.check_file(content, len(content))
    assert (found.kind, bool(found.words)) == (kind, True)


def test_the_page_reads_no_file_that_is_too_large(client: Client, db: None) -> None:
    large = SimpleUploadedFile("badge.png", png(b"\0" * (checking.LARGEST_FILE + 1)))
    answer = client.post("/verify/", {"file": large})
    assert answer.status_code == 422
    assert 'data-verdict="too_large"' in answer.content.decode()


def test_the_page_checks_a_file(client: Client, badge: Badge) -> None:
    file = SimpleUploadedFile("badge.png", drawing.baked(badge), "image/png")
    html = client.post("/verify/", {"file": file}).content.decode()
    assert 'data-verdict="valid"' in html
    assert "Wang" in html


def test_the_private_half_is_its_owners_alone(badge: Badge, key_folder: Any) -> None:
    [file] = key_folder.iterdir()
    assert (file.stat().st_mode & 0o777, key_folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert SigningKey.objects.get().public_jwk.keys() == {"kty", "n", "e"}


def test_without_the_file_nothing_is_signed_and_all_is_checked(
    badge: Badge, certificate: Certificate, key_folder: Any
) -> None:
    for file in key_folder.iterdir():
        file.unlink()
    with pytest.raises(keys.KeyMissing):
        issuing.choose(certificate, Shown(), SITE)
    assert checking.check_text(badge.token).is_valid
    assert issuing.badge_of(certificate) == badge
