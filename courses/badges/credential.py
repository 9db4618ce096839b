"""What a badge says, as an Open Badges 3.0 credential; signed as a VC-JWT.

https://www.imsglobal.org/spec/ob/v3p0/ : the credential by `openbadgeslib`'s model, the header by
section 8.2.3. Its own signer puts the key itself into the header, and nothing that names it: a
verifier would have to believe the badge which key is ours. Ours names the key by an address of
the issuer (`kid`), where it is published, and is no more once the key is withdrawn.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from openbadgeslib.ob3 import Achievement, Evidence, Issuer, OpenBadgeCredential, Result
from openbadgeslib.ob3.credential import OB3_CONTEXT, IdentityObject, ResultDescription
from openbadgeslib.ob3.status_list import build_status_list_credential, status_entry

from courses.badges import keys, practised, results
from courses.badges.models import Badge, SigningKey
from courses.badges.terms import Shown
from courses.models import Certificate, Course

CONTEXT = tuple(OB3_CONTEXT[:2])
LIST_SIZE = 131_072
"""Places in a status list, the least that the standard allows: one is not found in so many."""


def issuer_url(site: str) -> str:
    return site + reverse("badge_issuer")


def badge_url(badge: Badge) -> str:
    return badge.site + reverse("badge", args=[badge.public_id])


def key_url(site: str, kid: str) -> str:
    return site + reverse("badge_key", args=[kid])


def list_url(site: str, number: int) -> str:
    return site + reverse("badge_status", args=[number])


def issuer(site: str) -> Issuer:
    return Issuer(id=issuer_url(site), name=settings.SITE_NAME, url=site + "/")


def credential_of(badge: Badge, shown: Shown) -> OpenBadgeCredential:
    """The credential of a badge that has its number (`pk`), in the language of the instance."""
    certificate = badge.certificate
    with translation.override(settings.LANGUAGE_CODE):
        achieved = results.outcomes(certificate) if shown.results else []
        return OpenBadgeCredential(
            id=badge_url(badge),
            issuer=issuer(badge.site),
            recipient_id=f"urn:uuid:{certificate.enrolment.public_id}",
            identifiers=[_name(certificate)] if shown.name else [],
            name=certificate.course_title,
            achievement=_achievement(badge.site, certificate, achieved),
            results=[
                Result(value=one.value, result_description=_describes(badge.site, certificate, one))
                for one in achieved
            ],
            evidence=_evidence(badge.site, certificate) if shown.evidence else [],
            issuance_date=badge.issued_at,
            expiration_date=badge.expires_at,
            credential_status=[_status(badge)],
        )


def _name(certificate: Certificate) -> IdentityObject:
    return IdentityObject(identity_hash=certificate.holder_name, identity_type="name", hashed=False)


def _achievement(
    site: str, certificate: Certificate, achieved: list[results.Outcome]
) -> Achievement:
    course = certificate.enrolment.course
    return Achievement(
        id=course_url(site, course),
        name=certificate.course_title,
        description=course.summary or certificate.course_title,
        criteria_narrative=_("Every lesson of the course is done: watched, and what it asks for."),
        image_url=site + reverse("course_badge_picture", args=[course.public_id]),
        achievement_type="Certificate",
        result_descriptions=[
            ResultDescription(
                id=_describes(site, certificate, one), name=one.name, result_type="Result"
            )
            for one in achieved
        ],
    )


def course_url(site: str, course: Course) -> str:
    return site + course.get_absolute_url()


def _describes(site: str, certificate: Certificate, outcome: results.Outcome) -> str:
    return f"{course_url(site, certificate.enrolment.course)}#{outcome.kind}"


def _evidence(site: str, certificate: Certificate) -> list[Evidence]:
    if not practised.accepted(certificate):
        return []
    return [
        Evidence(
            id=site + reverse("verify_practice", args=[certificate.public_id]),
            name=_("Practice before a mentor"),
            narrative=_("A show with simulated buyers, which a mentor watched and accepted."),
            genre="practice",
        )
    ]


def _status(badge: Badge) -> dict[str, Any]:
    number, place = divmod(badge.pk, LIST_SIZE)
    return status_entry(list_url(badge.site, number), "revocation", place)


def signed(payload: dict[str, Any], site: str, key: SigningKey, private: RSAPrivateKey) -> str:
    """A compact JWS whose header has what the standard allows, and no more."""
    head = {"kid": key_url(site, key.kid), "typ": "JWT"}
    return jwt.encode(payload, private, algorithm=keys.ALGORITHM, headers=head)


def status_list(site: str, number: int, places: list[int], at: datetime, until: datetime) -> str:
    """A signed Bitstring Status List (W3C) in which the badges that hold no more have a one."""
    key, private = keys.current()
    vc = build_status_list_credential(
        issuer_url(site),
        list_url(site, number),
        "revocation",
        places,
        LIST_SIZE,
        issued=at,
        valid_until=until,
    )
    claims = {"iss": vc["issuer"], "jti": vc["id"], "nbf": int(at.timestamp())}
    return signed({**vc, **claims, "exp": int(until.timestamp())}, site, key, private)
