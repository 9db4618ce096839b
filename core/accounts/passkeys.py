"""Passkeys: signing in with what unlocks one's phone, without a code or password.

What browsers send is checked by fido2. Ours is what has to be kept: challenges that are good once,
for one browser and a few minutes, and whose key is whose. Nobody is asked who made their phone.
"""

from __future__ import annotations

import ipaddress
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.translation import gettext as _
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from core.accounts import limits, passkey_wire
from core.accounts.models import Passkey, PasskeyChallenge, User
from core.accounts.passkey_wire import Made, PasskeyRefused, Signed, refusing
from core.clock import now
from core.errors import Conflict
from core.text import clean_line

log = logging.getLogger(__name__)

GOOD_FOR = timedelta(minutes=5)
MOST = 10
LONGEST_NAME = 60
LONGEST_ID = 1023  # bytes; WebAuthn's own limit
LONGEST_KEY = 3072  # bytes, with the id; an RSA key of 8192 bits has a third of them
ES256, EDDSA, RS256 = -7, -8, -257  # COSE's numbers; the last is Windows'
ALGORITHMS = (ES256, EDDSA, RS256)
# Of one address, which a village may share. An open page of signing in asks now and then.
PER_ADDRESS = ((30, limits.MINUTE_S), (200, limits.HOUR_S))
BROWSER = "passkey_browser"


class PasskeyOver(Conflict):
    """The challenge was used, is too old, or was another browser's: it takes another one."""

    code = "passkey_over"


class PasskeyCopied(PasskeyRefused):
    """Its count went back, so that two hold it: it opens nothing any more."""

    code = "passkey_copied"


class PasskeyKnown(Conflict):
    """It is somebody's already."""

    code = "passkey_known"


class TooManyPasskeys(Conflict):
    code = "too_many_passkeys"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a browser is, as it shows it to its user: passkeys open one host name only."""

    rp_id: str
    origin: str

    def server(self) -> Fido2Server:
        rp = PublicKeyCredentialRpEntity(name=settings.SITE_NAME, id=self.rp_id)
        server = Fido2Server(
            rp,
            attestation=AttestationConveyancePreference.NONE,
            verify_origin=lambda origin: origin == self.origin,
        )
        server.allowed_algorithms = [
            PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=alg)
            for alg in ALGORITHMS
        ]
        return server


def place_of(request: HttpRequest) -> Place | None:
    """None where browsers have no passkeys: at a bare address, or without HTTPS.

    The host is one of those that the settings name; Django has refused all others.
    """
    host = request.get_host().lower()
    name, _port = split_domain_port(host)
    is_own = name == "localhost" or name.endswith(".localhost")
    if not name or is_address(name) or not (request.is_secure() or is_own):
        return None
    return Place(rp_id=name, origin=f"{request.scheme}://{host}")


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def browser_of(request: HttpRequest) -> str:
    """What tells this browser's challenges from others', for as long as its session."""
    known: str | None = request.session.get(BROWSER)
    if known is None:
        known = request.session[BROWSER] = secrets.token_urlsafe(24)
    return known


def ask_to_make(user: User, place: Place, browser: str) -> dict[str, Any]:
    """`PublicKeyCredentialCreationOptionsJSON`; raises `TooManyPasskeys`."""
    _refuse_more(user)
    person = PublicKeyCredentialUserEntity(
        id=user.public_id.bytes, name=user.shown_name, display_name=user.shown_name
    )
    here = user.passkeys.filter(rp_id=place.rp_id)
    options, _state = place.server().register_begin(
        person,
        credentials=[_descriptor(passkey) for passkey in here],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=_new_challenge(browser, user),
    )
    return _json(options.public_key)


def keep(user: User, place: Place, browser: str, made: Made, *, name: str) -> Passkey:
    """What the browser made for `ask_to_make`. Raises `PasskeyRefused`, `PasskeyOver`,
    `PasskeyKnown` or `TooManyPasskeys`."""
    response = passkey_wire.registration(made)
    state = _claim(response.response.client_data.challenge, browser, user)
    with refusing():
        said = place.server().register_complete(state, response)
        key = _fit(said.credential_data, response.raw_id)
    passkey = Passkey(
        user=user,
        name=clean_line(name, "name", longest=LONGEST_NAME),
        rp_id=place.rp_id,
        credential_id=websafe_encode(key.credential_id),
        key=bytes(key),
        sign_count=said.counter,
    )
    _save(passkey)
    return passkey


def ask_to_sign(place: Place, browser: str, *, address: str) -> dict[str, Any]:
    """`PublicKeyCredentialRequestOptionsJSON`, for whoever it is; raises `TooMany`."""
    for most, per_s in PER_ADDRESS:
        limits.take("passkeys to address", address, most=most, per_s=per_s)
    options, _state = place.server().authenticate_begin(
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=_new_challenge(browser, None),
    )
    return _json(options.public_key)


def owner(place: Place, browser: str, signed: Signed) -> User:
    """Who signed. Raises `PasskeyRefused`, `PasskeyOver` or `PasskeyCopied`; works once."""
    response = passkey_wire.assertion(signed)
    state = _claim(response.response.client_data.challenge, browser, None)
    passkey = _passkey_of(response.raw_id, response.response.user_handle, place)
    with refusing():
        known = AttestedCredentialData(bytes(passkey.key))
        place.server().authenticate_complete(state, [known], response)
    _count(passkey, response.response.authenticator_data.counter)
    return passkey.user


def rename(user: User, passkey_id: UUID, name: str) -> bool:
    """Whether there was such a passkey; raises `InvalidInput`."""
    line = clean_line(name, "name", longest=LONGEST_NAME)
    return bool(user.passkeys.filter(public_id=passkey_id).update(name=line))


def remove(user: User, passkey_id: UUID) -> bool:
    """Whether there was such a passkey. Who signed in with it stays signed in."""
    return bool(user.passkeys.filter(public_id=passkey_id).delete()[0])


def _json(options: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, "timeout": int(GOOD_FOR.total_seconds() * 1000)}


def _new_challenge(browser: str, user: User | None) -> bytes:
    challenge = secrets.token_bytes(32)
    PasskeyChallenge.objects.create(
        challenge=websafe_encode(challenge), browser=browser, user=user, ends_at=now() + GOOD_FOR
    )
    return challenge


def _claim(challenge: bytes, browser: str, user: User | None) -> dict[str, Any]:
    """Use it up, whatever comes of it; fido2's "state". Of two at once, one is counted."""
    text = websafe_encode(challenge)
    asked = PasskeyChallenge.objects.filter(challenge=text, browser=browser, user=user)
    if not asked.filter(ends_at__gt=now()).delete()[0]:
        raise PasskeyOver(_("That took too long. Please try again."))
    return {"challenge": text, "user_verification": UserVerificationRequirement.REQUIRED}


def _fit(made: AttestedCredentialData | None, raw_id: bytes) -> AttestedCredentialData:
    """The key, if it is of a kind that was asked for, which fido2 leaves to us."""
    if made is None or made.credential_id != raw_id:
        raise ValueError("no key, or another one's")
    if made.public_key.ALGORITHM not in ALGORITHMS:
        raise ValueError("a key that was not asked for")
    if not 1 <= len(made.credential_id) <= LONGEST_ID or len(made) > LONGEST_KEY:
        raise ValueError("too long")
    return made


def _save(passkey: Passkey) -> None:
    try:
        with transaction.atomic():
            _refuse_more(User.objects.select_for_update().get(pk=passkey.user_id))
            passkey.save()
    except IntegrityError as error:
        raise PasskeyKnown(_("This passkey is in use already.")) from error


def _refuse_more(user: User) -> None:
    if user.passkeys.count() >= MOST:
        raise TooManyPasskeys(
            _("You have %(most)d passkeys. Remove one that you no longer use.") % {"most": MOST}
        )


def _passkey_of(raw_id: bytes, user_handle: bytes | None, place: Place) -> Passkey:
    known = Passkey.objects.select_related("user").filter(user__is_active=True)
    passkey = known.filter(credential_id=websafe_encode(raw_id), rp_id=place.rp_id).first()
    with refusing():
        if passkey is None or passkey.user.public_id.bytes != user_handle:
            raise ValueError("nobody's, or somebody else's")
        return passkey


def _count(passkey: Passkey, count: int) -> None:
    """Keep how often it has signed; where that went back, two hold it, and neither may use it."""
    alive = Passkey.objects.filter(pk=passkey.pk, copied_at=None)
    is_later = Q(sign_count__lt=count) if count else Q(sign_count=0)
    if alive.filter(is_later).update(sign_count=count, used_at=now()):
        return
    if alive.update(copied_at=now()):
        log.warning("passkey %s of user %s may be copied", passkey.public_id, passkey.user_id)
    raise PasskeyCopied(
        _("This passkey may have been copied and opens nothing any more. Sign in another way.")
    )


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    known = AttestedCredentialData(bytes(passkey.key))
    return PublicKeyCredentialDescriptor(
        type=PublicKeyCredentialType.PUBLIC_KEY, id=known.credential_id
    )
