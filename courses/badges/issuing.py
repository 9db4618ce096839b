"""Badges: made of a certificate when its holder says what may be shown, replaced when that changes,
revoked by mentors and operators, and given again."""

from __future__ import annotations

from dataclasses import asdict

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.access import has_role
from core.accounts.models import Role, User
from core.clock import now
from core.errors import Conflict, NotAllowed
from core.text import clean_line
from courses.badges import credential, keys, rights
from courses.badges.models import Badge, BadgeRule, Revocation
from courses.badges.terms import Shown, rule_of, shown_of, standing_of, terms_of
from courses.models import Certificate, Course

LONGEST_REASON = 300


def choose(certificate: Certificate, shown: Shown, site: str) -> Badge:
    """Show this much from now on. What was signed before and says something else holds no more.

    The same again changes nothing. `Conflict` for a certificate that does not hold; `KeyMissing`.
    `site` is our address as the world knows it, without a slash at its end.
    """
    with transaction.atomic():
        locked = Certificate.objects.select_for_update().get(pk=certificate.pk)
        if not standing_of(locked).holds:
            raise Conflict(_("This certificate does not hold any more."))
        terms = terms_of(locked)
        found = badge_of(locked)
        # Without what it rests on there is nothing to show a recording of.
        shown = shown if shown.evidence else Shown(shown.name, shown.results)
        if found and shown_of(terms) == shown and found.site == site and _is_believed(found):
            return found
        for name, is_shown in asdict(shown).items():
            setattr(terms, f"shows_{name}", is_shown)
        terms.chosen_at = now()
        terms.save()
        return _replace(locked, shown, site)


def badge_of(certificate: Certificate) -> Badge | None:
    """The one that says what may be shown now."""
    return certificate.badges.filter(replaced_at=None).select_related("key").first()


def sign_again(kid: str) -> int:
    """Replace every badge that was signed by the key; how many. Their files have to be fetched
    anew. Raises `KeyMissing`."""
    of_key = Badge.objects.filter(key__kid=kid, replaced_at=None)
    count = 0
    for certificate in Certificate.objects.filter(badges__in=of_key).distinct():
        with transaction.atomic():
            locked = Certificate.objects.select_for_update().get(pk=certificate.pk)
            if (badge := badge_of(locked)) and badge.key.kid == kid:
                _replace(locked, shown_of(terms_of(locked)), badge.site)
                count += 1
    return count


def _is_believed(badge: Badge) -> bool:
    return badge.key.withdrawn_at is None


def _replace(certificate: Certificate, shown: Shown, site: str) -> Badge:
    key, private = keys.current()
    certificate.badges.filter(replaced_at=None).update(replaced_at=now())
    badge = Badge.objects.create(
        certificate=certificate,
        key=key,
        site=site,
        # The standard counts whole seconds: a part of one would be lost on the way.
        issued_at=now().replace(microsecond=0),
        expires_at=terms_of(certificate).expires_at,
    )
    payload = credential.credential_of(badge, shown).to_jwt_payload()
    badge.token = credential.signed(payload, site, key, private)
    badge.save(update_fields=["token"])
    return badge


def revoke(certificate: Certificate, actor: User, reason: str) -> Revocation:
    """Take the certificate back, with what it grants. The first of two is right.

    Raises `NotAllowed`, and `InvalidInput` for the reason.
    """
    _require_teacher(actor)
    cleaned = clean_line(reason, "reason", longest=LONGEST_REASON)
    with transaction.atomic():
        before = rights.held_by(certificate.enrolment.user)
        Certificate.objects.select_for_update().get(pk=certificate.pk)
        said, _made = Revocation.objects.get_or_create(
            certificate=certificate,
            undone_at=None,
            defaults={"reason": cleaned, "revoked_by": actor, "revoked_at": now()},
        )
        rights.tell_change(certificate.enrolment.user, before, cleaned)
    return said


def restore(certificate: Certificate, actor: User) -> bool:
    """Give it again; whether it was revoked. What it grants comes back with it."""
    _require_teacher(actor)
    with transaction.atomic():
        before = rights.held_by(certificate.enrolment.user)
        open_ones = Revocation.objects.filter(certificate=certificate, undone_at=None)
        changed = open_ones.update(undone_at=now(), undone_by=actor)
        rights.tell_change(certificate.enrolment.user, before)
    return bool(changed)


def set_months(course: Course, months: int | None) -> BadgeRule:
    """For certificates that are issued from now on; `None`: for ever."""
    rule, _made = BadgeRule.objects.update_or_create(
        course=course, defaults={"valid_months": months}
    )
    return rule


def set_grant(course: Course, actor: User, *, grants_live: bool) -> BadgeRule:
    """Whether the course's certificates, also those that were issued before, let people go live.

    By operators alone (`NotAllowed`).
    """
    if not has_role(actor, Role.OPERATOR):
        raise NotAllowed(_("Only an operator says who may go live."))
    with transaction.atomic():
        rule = rule_of(course)
        if rule.grants_live == grants_live:
            return rule
        before = {user: rights.held_by(user) for user in rights.holders(course)}
        rule.grants_live, rule.granted_by, rule.granted_at = grants_live, actor, now()
        rule.save()
        for user, held in before.items():
            rights.tell_change(user, held)
    return rule


def _require_teacher(actor: User) -> None:
    if not (has_role(actor, Role.MENTOR) or has_role(actor, Role.OPERATOR)):
        raise NotAllowed(_("Certificates are revoked by mentors and operators."))
