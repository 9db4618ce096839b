"""Who may see, change and revoke certificates. What is not shown does not exist for others."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, is_signed_in, signed_in
from core.accounts.models import User
from core.errors import NotAllowed, NotFound
from courses.access import is_teacher
from courses.badges.terms import shown_of, standing_of, terms_of
from courses.models import Certificate


def certificate_by_id(certificate_id: uuid.UUID) -> Certificate:
    """Anybody may have a certificate checked by its link; `NotFound`."""
    rows = Certificate.objects.select_related("enrolment__course", "enrolment__user")
    found = rows.filter(public_id=certificate_id).first()
    if found is None:
        raise NotFound(_("There is no such certificate."))
    return found


def is_holder(user: AnyUser, certificate: Certificate) -> bool:
    return is_signed_in(user) and certificate.enrolment.user_id == user.pk


def own_certificate(user: AnyUser, certificate_id: uuid.UUID) -> Certificate:
    """One's own, to say what it shows; `SignInRequired`, `NotFound`, `NotAllowed`."""
    person = signed_in(user)
    certificate = certificate_by_id(certificate_id)
    if not is_holder(person, certificate):
        raise NotAllowed(_("Only its holder says what a certificate shows."))
    return certificate


def certificate_to_revoke(user: AnyUser, certificate_id: uuid.UUID) -> tuple[User, Certificate]:
    person = signed_in(user)
    certificate = certificate_by_id(certificate_id)
    if not is_teacher(person):
        raise NotAllowed(_("Certificates are revoked by mentors and operators."))
    return person, certificate


def practice_behind(user: AnyUser, certificate_id: uuid.UUID) -> tuple[Certificate, bool]:
    """The certificate whose practice the user may see, and whether with its recordings.

    Everybody, where its holder shows that and it holds; else the holder and teachers. `NotFound`.
    """
    certificate = certificate_by_id(certificate_id)
    if is_holder(user, certificate) or is_teacher(user):
        return certificate, True
    shown = shown_of(terms_of(certificate))
    if not shown.evidence or not standing_of(certificate).holds:
        raise NotFound(_("Its holder does not show the practice behind this certificate."))
    return certificate, shown.recording
