"""Until when a certificate holds, what of it is shown, and whether it was taken back."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from core.accounts.models import User
from core.clock import now
from courses.badges.models import BadgeRule, Revocation, Terms
from courses.models import Certificate, Course

# How long before and after its end a certificate's holder is told of it.
TOLD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Shown:
    """What everybody may see of a certificate beside its course, its number and its date."""

    name: bool = False
    results: bool = False
    evidence: bool = False
    recording: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a certificate is worth now; `revocation` and `expires_at` say why it is not."""

    expires_at: datetime | None
    revocation: Revocation | None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= now()

    @property
    def holds(self) -> bool:
        return self.revocation is None and not self.is_expired


def rule_of(course: Course) -> BadgeRule:
    """The course's rule, which is not saved yet where nobody has set one."""
    return BadgeRule.objects.filter(course=course).first() or BadgeRule(course=course)


def terms_of(certificate: Certificate) -> Terms:
    """The certificate's own terms; what its course says when it is issued holds for good."""
    rule = rule_of(certificate.enrolment.course)
    expires_at = rule.valid_months and months_after(certificate.issued_at, rule.valid_months)
    found, _made = Terms.objects.get_or_create(
        certificate=certificate, defaults={"expires_at": expires_at or None}
    )
    return found


def shown_of(terms: Terms) -> Shown:
    return Shown(terms.shows_name, terms.shows_results, terms.shows_evidence, terms.shows_recording)


def standing_of(certificate: Certificate) -> Standing:
    revocation = certificate.revocations.filter(undone_at=None).select_related("revoked_by").first()
    return Standing(terms_of(certificate).expires_at, revocation)


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate that ends soon, or has ended lately."""

    certificate: Certificate
    expires_at: datetime
    is_expired: bool


def ending_of(user: User) -> list[Ending]:
    """The user's certificates whose end is at most 30 days away or ago, the first to end first.

    None that was taken back. Terms are made when they are first asked for, so that a certificate
    without any is asked for them here.
    """
    revoked = Revocation.objects.filter(undone_at=None).values("certificate")
    at = now()
    theirs = Certificate.objects.filter(enrolment__user=user).exclude(pk__in=revoked)
    found = theirs.filter(
        Q(terms=None) | Q(terms__expires_at__gt=at - TOLD, terms__expires_at__lte=at + TOLD)
    )
    ending = []
    for one in found.select_related("enrolment__course", "terms"):
        end = (one.terms if hasattr(one, "terms") else terms_of(one)).expires_at
        if end is not None and at - TOLD < end <= at + TOLD:
            ending.append(Ending(one, end, end <= at))
    return sorted(ending, key=lambda one: one.expires_at)


def forget(user: User) -> None:
    """Who leaves takes back what they could no longer take back: their practice and its film."""
    mine = Terms.objects.filter(certificate__enrolment__user=user)
    mine.update(shows_evidence=False, shows_recording=False)


def months_after(day: datetime, months: int) -> datetime:
    """The same day of a later month, or the last one of a month that is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    last = monthrange(day.year + years, month + 1)[1]
    return day.replace(year=day.year + years, month=month + 1, day=min(day.day, last))
