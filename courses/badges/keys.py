"""The keys that sign badges: RSA, for RS256 is what every verifier of Open Badges 3.0 must know.

The public halves are rows, so that every process checks every badge; a private one is a file of
its owner alone, as the instance's other secrets are, in `BADGE_KEYS`, which the processes share.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from jwt.algorithms import RSAAlgorithm

from core.clock import now
from core.errors import Conflict, NotFound
from courses.badges.models import SigningKey

log = logging.getLogger(__name__)

ALGORITHM = "RS256"
BITS = 3072
NONE_HERE = gettext_lazy("Certificates cannot be signed at the moment. Ask an operator.")


class KeyMissing(Conflict):
    """There are keys, but no private half of one is on this machine, or none can be kept here."""

    code = "key_missing"
    status = 503


def make() -> tuple[SigningKey, RSAPrivateKey]:
    """A new key, by which everything is signed from now on; what older ones signed still holds.

    Raises `KeyMissing` where its file cannot be written. The file is there before the row is: a
    key that is known can be used.
    """
    private = generate_private_key(public_exponent=65537, key_size=BITS)
    jwk = _public_jwk(private)
    kid = thumbprint(jwk)
    try:
        _write(_path(kid), _pem(private))
    except OSError as error:
        log.warning("no key for badges can be kept in %s: %s", settings.BADGE_KEYS, error)
        raise KeyMissing(str(NONE_HERE)) from error
    return SigningKey.objects.create(kid=kid, public_jwk=jwk, made_at=now()), private


def current() -> tuple[SigningKey, RSAPrivateKey]:
    """The newest key whose file is here; the first is made when the first badge is.

    Raises `KeyMissing`.
    """
    rows = SigningKey.objects.filter(withdrawn_at=None)
    for row in rows:
        if private := _read(row):
            return row, private
    if rows.exists():
        raise KeyMissing(str(NONE_HERE))
    return make()


def withdraw(kid: str) -> SigningKey:
    """Never believe this key again: somebody else may have it. Raises `NotFound`."""
    SigningKey.objects.filter(kid=kid, withdrawn_at=None).update(withdrawn_at=now())
    with contextlib.suppress(FileNotFoundError):
        _path(kid).unlink()
    found = SigningKey.objects.filter(kid=kid).first()
    if found is None:
        raise NotFound(_("There is no such key."))
    return found


def is_here(row: SigningKey) -> bool:
    return _read(row) is not None


def published() -> list[dict[str, Any]]:
    """What verifiers need (RFC 7517): the public halves of all keys that are believed."""
    return [public(row) for row in SigningKey.objects.filter(withdrawn_at=None)]


def public(row: SigningKey) -> dict[str, Any]:
    return {**row.public_jwk, "kid": row.kid, "alg": ALGORITHM, "use": "sig"}


def thumbprint(jwk: dict[str, Any]) -> str:
    """RFC 7638: the hash of the members that make the key, in their order."""
    text = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _public_jwk(private: RSAPrivateKey) -> dict[str, Any]:
    found = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {name: found[name] for name in ("kty", "n", "e")}


def _pem(private: RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _path(kid: str) -> Path:
    folder: Path = settings.BADGE_KEYS
    return folder / f"{kid}.pem"


def _read(row: SigningKey) -> RSAPrivateKey | None:
    """`None` where the file is missing, damaged, or that of another key."""
    try:
        found = serialization.load_pem_private_key(_path(row.kid).read_bytes(), password=None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("the key of badges %s cannot be read: %s", row.kid, error)
        return None
    is_it = isinstance(found, RSAPrivateKey) and thumbprint(_public_jwk(found)) == row.kid
    return found if is_it and isinstance(found, RSAPrivateKey) else None


def _write(path: Path, text: bytes) -> None:
    """On the disk, and whole, before its name is there; its owner alone may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
