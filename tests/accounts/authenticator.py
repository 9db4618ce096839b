"""A phone's keeper of passkeys in software, with a page of a browser around it; it can also lie."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2 import cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ASK_SIGN, SIGN_IN = "/accounts/passkey/options/", "/accounts/passkey/"
ASK_MAKE, ADD = "/me/passkeys/options/", "/me/passkeys/add/"


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """Makes one passkey and signs with it. `count` is what it says that it has signed so far."""

    origin: str = "https://testserver"
    rp_id: str = "testserver"
    count: int = 0
    verifies: bool = True
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    user_handle: bytes = b""
    alg: int = -7

    def make(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """`RegistrationResponseJSON`; `lies` replace members of the client data."""
        self.user_handle = unb64(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: self.alg, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor.encode(cose)
        data = self.data(ATTESTED) + credential
        whole = cbor.encode({"fmt": "none", "authData": data, "attStmt": {}})
        client = self.client_data("webauthn.create", options, lies)
        return self.credential(clientDataJSON=b64(client), attestationObject=b64(whole))

    def sign(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """`AuthenticationResponseJSON`; `lies` replace members of the client data."""
        if self.count:
            self.count += 1
        data = self.data()
        client = self.client_data("webauthn.get", options, lies)
        signed = data + hashlib.sha256(client).digest()
        return self.credential(
            clientDataJSON=b64(client),
            authenticatorData=b64(data),
            signature=b64(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            userHandle=b64(self.user_handle),
        )

    def credential(self, **response: str) -> dict[str, Any]:
        return {"rawId": b64(self.id), "type": "public-key", "response": response}

    def data(self, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, self.count)

    def client_data(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**told, "crossOrigin": False, **lies}).encode()


def post(client: Client, path: str, body: object = None, **more: Any) -> Any:
    """As the page's script does, by HTTPS."""
    return client.post(path, body, content_type="application/json", secure=True, **more)


def added(client: Client, phone: Authenticator | None = None) -> Authenticator:
    """The person who is signed in there makes a passkey."""
    phone = phone or Authenticator(count=1)
    made = phone.make(post(client, ASK_MAKE).json())
    answer = post(client, ADD, {"credential": made})
    assert answer.status_code == 201, answer.content
    return phone


def options_for(client: Client) -> dict[str, Any]:
    answer = post(client, ASK_SIGN)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def signed_in_with(client: Client, phone: Authenticator, to: str = "", **lies: Any) -> Any:
    sent = {"credential": phone.sign(options_for(client), **lies), "next": to}
    return post(client, SIGN_IN, sent)


def refused(answer: Any, code: str = "passkey_refused", status: int = 422) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
