"""The right to go live that a certificate grants.

It is a person's: of all the shows of the shops that they own, for which they answer, and of those
that they host themselves in others' shops; who else hosts there has not shown what they can. It is
looked up whenever it is asked for, so that it ends with the certificate, and holds for shops that
come later.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from courses.badges.models import Revocation
from courses.models import Certificate, Course
from sellers.models import Member, MemberRole
from streams.services import approvals


def granting() -> QuerySet[Certificate]:
    """The certificates that hold, and grant it."""
    in_time = Q(terms=None) | Q(terms__expires_at=None) | Q(terms__expires_at__gt=now())
    of_courses = Certificate.objects.filter(
        in_time, enrolment__course__badge_rule__grants_live=True
    )
    return of_courses.exclude(
        pk__in=Revocation.objects.filter(undone_at=None).values("certificate")
    )


def people() -> QuerySet[User]:
    """Who holds the right, for `streams.services.approvals`."""
    return User.objects.filter(pk__in=granting().values("enrolment__user"))


def held_by(user: User) -> Certificate | None:
    """The certificate by which the user may go live."""
    return granting().filter(enrolment__user=user).first()


def holders(course: Course) -> QuerySet[User]:
    return User.objects.filter(enrolments__course=course, enrolments__certificate__isnull=False)


def shops_of(certificate: Certificate) -> list[str]:
    """The shops whose shows it lets go live."""
    owned = Member.objects.filter(user=certificate.enrolment.user_id, role=MemberRole.OWNER)
    return list(owned.order_by("seller__name").values_list("seller__name", flat=True))


def is_granting(certificate: Certificate) -> bool:
    return granting().filter(pk=certificate.pk).exists()


def reason_of(certificate: Certificate) -> str:
    return _("Certificate %(number)s: %(course)s") % {
        "number": certificate.number,
        "course": certificate.course_title,
    }


def tell_change(user: User, before: Certificate | None, why: str = "") -> None:
    """Tell the pages of the shows that may begin now, or may not any more; in the transaction."""
    after = held_by(user)
    if before is None and after is not None:
        approvals.tell_freed(user, reason_of(after))
    if before is not None and after is None:
        words = _("Certificate %(number)s was revoked.") % {"number": before.number}
        approvals.tell_held(user, f"{words} {why}".strip())
