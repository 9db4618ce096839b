"""What browsers send of passkeys, from JSON to what fido2 checks.

fido2 trusts the types of what it reads: a number where bytes belong becomes that many zeros in
memory. So each is looked at here first.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from django.utils.translation import gettext as _
from fido2 import cbor
from fido2.webauthn import (
    AttestationObject,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from core.errors import InvalidInput

LARGEST_BODY = 16 * 1024
"""In bytes; usual ones have 1 to 3 KiB, and certificates, which some send unasked, a few more."""
# What reading and checking bytes from strangers ends with: fido2 has no errors of its own.
_FAULTS = (
    ValueError,  # msgspec's, binascii's and Unicode's, too
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    OverflowError,
    RecursionError,
    NotImplementedError,
    struct.error,
    UnsupportedAlgorithm,
)
T = TypeVar("T")


class PasskeyRefused(InvalidInput):
    """What came proves nothing here; what exactly is wrong with it, nobody is told."""

    code = "passkey_refused"


class MadeBytes(msgspec.Struct):
    """`AuthenticatorAttestationResponseJSON` of WebAuthn; others of its members are not read."""

    clientDataJSON: str  # noqa: N815 - WebAuthn's name
    attestationObject: str  # noqa: N815


class Made(msgspec.Struct):
    """`RegistrationResponseJSON`."""

    rawId: str  # noqa: N815
    type: Literal["public-key"]
    response: MadeBytes


class SignedBytes(msgspec.Struct):
    """`AuthenticatorAssertionResponseJSON`."""

    clientDataJSON: str  # noqa: N815
    authenticatorData: str  # noqa: N815
    signature: str
    userHandle: str  # noqa: N815 - there, because keys that a browser finds by itself have it


class Signed(msgspec.Struct):
    """`AuthenticationResponseJSON`."""

    rawId: str  # noqa: N815
    type: Literal["public-key"]
    response: SignedBytes


class _ClientData(msgspec.Struct):
    type: str
    challenge: str
    origin: str
    crossOrigin: bool = False  # noqa: N815


@contextmanager
def refusing() -> Iterator[None]:
    """Anything that reading or checking ends with becomes `PasskeyRefused`."""
    try:
        yield
    except _FAULTS as fault:
        raise PasskeyRefused(
            _("This passkey opens nothing here. Please sign in another way.")
        ) from fault


def read(body: bytes, kind: type[T]) -> T:
    """Raises `PasskeyRefused`; of unknown members nothing is kept."""
    with refusing():
        return msgspec.json.decode(body, type=kind)


def registration(made: Made) -> RegistrationResponse:
    with refusing():
        attestation = _bytes(made.response.attestationObject)
        parts = cbor.decode(attestation)
        if not isinstance(parts, dict) or not isinstance(parts.get("authData"), bytes):
            raise ValueError("no authenticator data")
        response = AuthenticatorAttestationResponse(
            client_data=_client_data(made.response.clientDataJSON),
            attestation_object=AttestationObject(attestation),
        )
        return RegistrationResponse(raw_id=_bytes(made.rawId), response=response)


def assertion(signed: Signed) -> AuthenticationResponse:
    with refusing():
        response = AuthenticatorAssertionResponse(
            client_data=_client_data(signed.response.clientDataJSON),
            authenticator_data=AuthenticatorData(_bytes(signed.response.authenticatorData)),
            signature=_bytes(signed.response.signature),
            user_handle=_bytes(signed.response.userHandle),
        )
        return AuthenticationResponse(raw_id=_bytes(signed.rawId), response=response)


def _client_data(text: str) -> CollectedClientData:
    raw = _bytes(text)
    if msgspec.json.decode(raw, type=_ClientData).crossOrigin:
        raise ValueError("asked for inside of somebody else's page")
    return CollectedClientData(raw)


def _bytes(text: str) -> bytes:
    """Of base64url without padding."""
    return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
