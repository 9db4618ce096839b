"""Certificates: issued once, signed over everything that is printed on them, verified by anyone."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _

from core.clock import now
from core.errors import Conflict
from courses import intervals
from courses.models import Certificate, Enrolment, Progress

# Crockford's base 32: no letter that is taken for a digit when a number is read out.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a certificate says what was issued, and if not, why."""

    is_valid: bool
    reason: str = ""


def issue_certificate(enrolment: Enrolment) -> Certificate:
    """The enrolment's one certificate; the first call makes it. `Conflict` before completion."""
    if enrolment.completed_at is None:
        raise Conflict(_("The course is not completed yet."))
    certificate, _made = Certificate.objects.get_or_create(
        enrolment=enrolment, defaults=_signed_fields(enrolment)
    )
    return certificate


def verify(certificate: Certificate) -> Verdict:
    """Check the signature over everything that the certificate states."""
    try:
        _signer().unsign(f"{_statement(certificate)}:{certificate.signature}")
    except BadSignature:
        return Verdict(
            is_valid=False,
            reason=_("What it says is not what was issued: it was changed afterwards."),
        )
    return Verdict(is_valid=True)


def _signed_fields(enrolment: Enrolment) -> dict[str, object]:
    done = list(Progress.objects.filter(enrolment=enrolment, completed_at__isnull=False))
    draft = Certificate(
        enrolment=enrolment,
        number=_new_number(),
        holder_name=enrolment.user.shown_name,
        course_title=enrolment.course.title,
        lesson_count=len(done),
        watched_s=round(sum(intervals.covered_s(one.intervals) for one in done), 3),
        issued_at=now(),
    )
    draft.signature = _signer().signature(_statement(draft))
    return {
        field.attname: getattr(draft, field.attname)
        for field in Certificate._meta.concrete_fields
        if field.name not in {"id", "enrolment"}
    }


def _statement(certificate: Certificate) -> str:
    """What is signed: every field that a reader sees, and whose enrolment it is."""
    issued_at = certificate.issued_at.astimezone(UTC).isoformat()
    return json.dumps(
        [
            str(certificate.public_id),
            certificate.number,
            str(certificate.enrolment.public_id),
            certificate.holder_name,
            certificate.course_title,
            certificate.lesson_count,
            f"{certificate.watched_s:.3f}",
            issued_at,
        ]
    )


def _signer() -> Signer:
    return Signer(salt="courses.certificate.1")


def _new_number() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _place in range(8))
    return f"{now():%Y}-{letters[:4]}-{letters[4:]}"
