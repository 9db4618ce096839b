"""A badge holds without our code: by `jwcrypto`, the published schema, and what is published."""

from __future__ import annotations

import io
import json
from base64 import urlsafe_b64decode
from gzip import decompress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from django.test import Client
from jwcrypto import jwk, jws
from openbadgeslib.ob3 import OB3Verifier
from openbadgeslib.ob3.verifier import OB3VerificationError
from PIL import Image

from courses.badges import issuing, keys
from courses.badges.models import Badge
from courses.badges.terms import Shown
from courses.models import Certificate
from tests.courses.badges.conftest import SITE
from tests.world import World

SCHEMA = json.loads(
    Path(__file__).with_name("ob_v3p0_achievementcredential_schema.json").read_text()
)


def published(address: str) -> bytes:
    """What anybody finds at an address of the site."""
    assert address.startswith(SITE)
    answer = Client().get(urlsplit(address).path)
    assert answer.status_code == 200, answer.content
    assert answer["Access-Control-Allow-Origin"] == "*"
    return bytes(answer.content)


def opened(token: str) -> dict[str, Any]:
    """The claims, after the signature was checked with the key that the header names."""
    signed = jws.JWS()
    signed.deserialize(token)
    assert signed.jose_header.keys() == {"alg", "typ", "kid"}
    key = jwk.JWK.from_json(published(signed.jose_header["kid"]).decode())
    assert not key.has_private
    signed.verify(key)
    claims: dict[str, Any] = json.loads(signed.payload)
    return claims


def is_on_the_list(claims: dict[str, Any]) -> bool:
    """By the W3C's Bitstring Status List, whose own signature is checked, too."""
    entry = claims["credentialStatus"]
    listed = opened(published(entry["statusListCredential"]).decode())
    assert listed["issuer"] == claims["issuer"]["id"]
    text = listed["credentialSubject"]["encodedList"]
    bits = decompress(urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))
    assert text[0] == "u"
    assert len(bits) * 8 >= 131_072
    place = int(entry["statusListIndex"])
    return bool(bits[place // 8] & (0x80 >> place % 8))


def test_it_verifies_without_our_code(badge: Badge) -> None:
    claims = opened(badge.token)
    jsonschema.Draft201909Validator(SCHEMA).validate(claims)
    assert claims["iss"] == claims["issuer"]["id"] == f"{SITE}/badges/issuer/"
    assert claims["jti"] == claims["id"]
    assert claims["sub"] == claims["credentialSubject"]["id"]
    [name] = claims["credentialSubject"]["identifier"]
    assert (name["identityType"], name["identityHash"]) == ("name", "Wang")
    assert claims["credentialSubject"]["achievement"]["name"] == "Apples on camera"
    assert claims["credentialSubject"]["result"][0]["value"] == "2 lessons, 1 minute"
    assert not is_on_the_list(claims)


def test_the_public_keys_are_in_one_set(badge: Badge) -> None:
    found = jwk.JWKSet.from_json(published(f"{SITE}/badges/jwks.json").decode())
    signed = jws.JWS()
    signed.deserialize(badge.token)
    signed.verify(found.get_key(signed.jose_header["kid"]))


def test_the_issuer_is_where_its_id_says(badge: Badge) -> None:
    said = opened(badge.token)["issuer"]
    profile = json.loads(published(said["id"]))
    assert said.items() <= profile.items()


def test_the_picture_carries_it_and_is_a_picture(badge: Badge, client: Client) -> None:
    answer = client.get(f"/verify/{badge.certificate.public_id}/badge.png")
    picture = Image.open(io.BytesIO(answer.content))
    picture.load()
    assert picture.size == (1000, 1250)
    assert picture.info["openbadgecredential"] == badge.token


def test_another_verifier_agrees(badge: Badge, certificate: Certificate, world: World) -> None:
    """openbadgeslib's own, with the list that the site publishes; a badge revoked fails there."""
    verifier = OB3Verifier(pubkey_pem=_pem(badge))
    credential = verifier.verify(badge.token, check_status=True, download=_download)
    assert credential.achievement.name == "Apples on camera"
    issuing.revoke(certificate, world.chen, "It was somebody else's show.")
    with pytest.raises(OB3VerificationError, match="is set at index"):
        verifier.verify(badge.token, check_status=True, download=_download)


def test_revoked_is_on_the_list_until_it_is_undone(
    badge: Badge, certificate: Certificate, world: World
) -> None:
    claims = opened(badge.token)
    issuing.revoke(certificate, world.chen, "It was somebody else's show.")
    assert is_on_the_list(claims)
    issuing.restore(certificate, world.chen)
    assert not is_on_the_list(claims)


def test_what_is_not_shown_is_not_in_it(badge: Badge, certificate: Certificate) -> None:
    fewer = issuing.choose(certificate, Shown(), SITE)
    claims = opened(fewer.token)
    jsonschema.Draft201909Validator(SCHEMA).validate(claims)
    assert "Wang" not in json.dumps(claims)
    assert "result" not in claims["credentialSubject"]
    assert is_on_the_list(opened(badge.token)), "the copy with the name holds no more"


def test_it_holds_after_the_key_was_changed(badge: Badge, certificate: Certificate) -> None:
    newer, _private = keys.make()
    assert not is_on_the_list(opened(badge.token)), "the list is signed by the new key by now"
    assert opened(badge.token)["jti"]
    other = issuing.choose(certificate, Shown(), SITE)
    assert other.key == newer


def _pem(badge: Badge) -> bytes:
    found = jwk.JWK(**badge.key.public_jwk).export_to_pem()
    assert isinstance(found, bytes)
    return found


def _download(url: str, *_args: object, **_more: object) -> bytes:
    return published(url)
