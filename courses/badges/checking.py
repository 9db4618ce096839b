"""Whether what somebody shows us is a certificate of ours that holds, and if not, why, in words.

Everything here comes from strangers. A picture is never decoded: only its chunks are looked at, and
what is packed in them is unpacked up to a limit. The algorithm is that of our keys, whatever a
header says; of a badge that is not ours nothing is fetched.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import jwt
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier

from core.ids import parse_id
from core.text import clean_line
from courses.badges import keys
from courses.badges.models import Badge, SigningKey
from courses.badges.terms import standing_of
from courses.models import Certificate
from courses.services import certificates

MEGABYTE = 1024**2
LARGEST_FILE = 5 * MEGABYTE
LONGEST_TOKEN = 100_000
Kind = Literal[
    "valid",
    "nothing",
    "too_large",
    "no_badge",
    "damaged",
    "unknown",
    "foreign",
    "forged",
    "changed",
    "replaced",
    "revoked",
    "expired",
]
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
_KID = re.compile(r"[\w-]{1,100}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"(\d{4})([0-9A-HJKMNP-TV-Z]{4})([0-9A-HJKMNP-TV-Z]{4})")
# What people read for a digit, or type for it (Crockford).
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
PNG, JPEG, HEIC = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"ftyp"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came out; `certificate` is ours that it is about, if it is about one."""

    kind: Kind
    words: str
    certificate: Certificate | None = None

    @property
    def is_valid(self) -> bool:
        return self.kind == "valid"


def check_file(content: bytes, size: int) -> Finding:
    """A badge's picture (PNG, SVG), or its text in a file. `size` may be more than was read."""
    if size > LARGEST_FILE:
        return Finding(
            "too_large",
            _("This file is too large: a badge has at most %(most)d MB.")
            % {"most": LARGEST_FILE // MEGABYTE},
        )
    if not content.strip():
        return Finding("nothing", _("This file is empty. Choose the badge's picture."))
    try:
        found = _inside(content)
    except LibOpenBadgesException:
        return Finding(
            "damaged",
            _(
                "What is in this file cannot be read as a badge: it is damaged, or was made to look"
                " like one. Ask its holder for the file as they downloaded it."
            ),
        )
    return found if isinstance(found, Finding) else check_text(found)


def _inside(content: bytes) -> str | Finding:
    """What is baked into the picture, or written in the file. Raises the library's errors."""
    if content.startswith(PNG):
        return _of_picture(OB3Verifier.extract_token_from_png, content)
    if content.startswith(JPEG) or content[4:8] == HEIC:
        return _no_badge_in_photos()
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return _not_a_badge()
    if text.startswith("<"):
        return _of_picture(OB3Verifier.extract_token_from_svg, content)
    return text


def _of_picture(extract: Callable[[bytes], str], content: bytes) -> str | Finding:
    try:
        return extract(content)
    except OB3VerificationError as error:
        if error.__cause__ is None:  # a whole picture, and nothing but a picture
            return _no_badge_in_photos()
        raise


def check_text(text: str) -> Finding:
    """A link, a certificate's number, or a badge's own text."""
    text = text.strip()
    if not text:
        return Finding("nothing", _("Choose a file, or write the link or the number."))
    if len(text) <= LONGEST_TOKEN and _TOKEN.fullmatch(text) and text.startswith("ey"):
        return check_token(text)
    if text.startswith("{"):
        return Finding(
            "foreign",
            _("This is a badge of another kind: ours are never written like this.")
            + " "
            + _("Ask whoever issued it."),
        )
    if len(text) <= 2000 and (found := _looked_up(text)):
        return found
    return _not_a_badge()


def _looked_up(text: str) -> Finding | None:
    """Of a link or a number; `None`: it is neither."""
    if ids := _ID.findall(text):
        return _of_id(uuid.UUID(ids[-1]), text)
    plain = re.sub(r"[\s-]", "", text).upper().translate(_MISREAD)
    if found := _NUMBER.fullmatch(plain):
        certificate = Certificate.objects.filter(number="-".join(found.groups())).first()
        if certificate:
            return check(certificate)
        return Finding(
            "unknown",
            _(
                "We never issued a certificate with this number. Compare every letter, or ask for"
                " its link."
            ),
        )
    return None


def _of_id(given: uuid.UUID, text: str) -> Finding:
    certificate = Certificate.objects.filter(public_id=given).first()
    badge = Badge.objects.filter(public_id=given).select_related("certificate").first()
    if badge:
        return check_badge(badge)
    if certificate:
        return check(certificate)
    _scheme, host = _address(text) if "//" in text else ("", "")
    return Finding(
        "unknown",
        _(
            "We never issued a certificate with this link. Check that you have all of it, and that"
            " it leads here: it names %(host)s."
        )
        % {"host": host}
        if host
        else _(
            "We never issued a certificate with this link. Check that you have all of it, or"
            " ask its holder."
        ),
    )


def check_token(token: str) -> Finding:
    """The signature first: of what is not signed by us nothing is believed but whom it names."""
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return _not_a_badge()
    key = _key_of(header)
    if key is None:
        return _not_by_us(claims)
    try:
        signed = jwt.decode(
            token,
            jwt.PyJWK.from_dict(key.public_jwk, keys.ALGORITHM),
            algorithms=[keys.ALGORITHM],
            options={"verify_exp": False, "verify_nbf": False, "verify_aud": False},
        )
    except (jwt.InvalidTokenError, ValueError):
        return Finding(
            "changed",
            _("It names us, but what it says is not what we signed: it was changed, or made up."),
        )
    return _of_claims(signed)


def _key_of(header: dict[str, Any]) -> SigningKey | None:
    """Ours that the header names by our way of naming it; its `jwk` and its `alg` count nothing."""
    kid = header.get("kid")
    if header.get("alg") != keys.ALGORITHM or not isinstance(kid, str) or len(kid) > 500:
        return None
    name = kid.rstrip("/").rsplit("/", 1)[-1]
    return SigningKey.objects.filter(kid=name).first() if _KID.fullmatch(name) else None


def _not_by_us(claims: dict[str, Any]) -> Finding:
    issuer = claims.get("iss")
    types = claims.get("type")
    if not isinstance(issuer, str) or not types:
        return _not_a_badge()
    scheme, host = _address(issuer)
    named = _shown(host or issuer)
    if not named:
        return _not_a_badge()
    if Badge.objects.filter(site=f"{scheme}://{host}").exists():
        return Finding(
            "forged", _("It says that we issued it, but it was not signed with any key of ours.")
        )
    return Finding(
        "foreign",
        _(
            "It was not issued by us, but by %(issuer)s, whom we do not know. Ask them whether it"
            " is valid."
        )
        % {"issuer": named},
    )


def _address(text: str) -> tuple[str, str]:
    """Scheme and host of what a stranger wrote; both empty for what is no address."""
    try:
        parts = urlsplit(text)
    except ValueError:  # "http://[x]/"
        return "", ""
    return parts.scheme, _shown(parts.netloc.rpartition("@")[2])


def _shown(text: str) -> str:
    """Fit for a page and the database: no half characters, nothing that turns other words round."""
    return clean_line(text[:80], "text", longest=400, shortest=0)


def _of_claims(claims: dict[str, Any]) -> Finding:
    found = parse_id(str(claims.get("jti", "")).rstrip("/").rsplit("/", 1)[-1])
    rows = Badge.objects.select_related("certificate", "key")
    badge = rows.filter(public_id=found).first() if found else None
    if badge is None:
        return Finding(
            "unknown", _("It is signed by us, but we keep no such certificate any more.")
        )
    return check_badge(badge)


def check_badge(badge: Badge) -> Finding:
    """One of ours as it was signed. That it was replaced says nothing of the certificate."""
    found = check(badge.certificate)
    if not found.is_valid:
        return found
    if badge.key.withdrawn_at is not None:
        return Finding(
            "replaced",
            _(
                "It was signed with a key that we have withdrawn. The certificate itself holds: its"
                " page has a new copy."
            ),
            badge.certificate,
        )
    if badge.replaced_at is not None:
        return Finding(
            "replaced",
            _(
                "This copy was replaced: its holder has changed what it shows. The certificate"
                " itself holds: its page has what it says now."
            ),
            badge.certificate,
        )
    return found


def check(certificate: Certificate) -> Finding:
    """The certificate as it is kept here."""
    row = certificates.verify(certificate)
    if not row.is_valid:
        return Finding("changed", row.reason, certificate)
    standing = standing_of(certificate)
    if standing.revocation:
        words = _("It was revoked on %(day)s: %(reason)s") % {
            "day": date_format(standing.revocation.revoked_at, "DATE_FORMAT"),
            "reason": standing.revocation.reason,
        }
        return Finding("revoked", words, certificate)
    if standing.is_expired and standing.expires_at:
        day = date_format(standing.expires_at, "DATE_FORMAT")
        return Finding("expired", _("It was valid until %(day)s.") % {"day": day}, certificate)
    return Finding(
        "valid",
        _("We issued this certificate, and it says exactly what it said then."),
        certificate,
    )


def _not_a_badge() -> Finding:
    return Finding(
        "no_badge",
        _(
            "This is no badge, no link and no number of a certificate. A number looks like"
            " 2026-AB12-CD34; a badge is a PNG picture that its holder downloaded."
        ),
    )


def _no_badge_in_photos() -> Finding:
    return Finding(
        "no_badge",
        _(
            "There is no badge in this picture. Photos and screenshots lose it, and so do some chat"
            " apps: ask for the file itself, or write the number that is printed on it."
        ),
    )
