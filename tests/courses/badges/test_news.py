"""A certificate's holder is told, on pages of learning, that it ends soon or has ended."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.clock import now
from courses.badges import terms
from courses.badges.models import BadgeRule, Revocation, Terms
from courses.badges.terms import ending_of, terms_of
from courses.models import Certificate
from tests.courses.badges.test_rights import text
from tests.courses.test_pages import as_person
from tests.world import World

DAYS_30 = timedelta(days=30)
TICK = timedelta(microseconds=1)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The moment that it is, to look at both sides of a boundary."""
    moment = now()
    monkeypatch.setattr(terms, "now", lambda: moment)
    return moment


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (DAYS_30 + TICK, None),
        (DAYS_30, "expires"),
        (TICK, "expires"),
        (timedelta(0), "expired"),
        (TICK - DAYS_30, "expired"),
        (-DAYS_30, None),
    ],
)
def test_told_from_30_days_before_until_30_days_after(
    certificate: Certificate, world: World, at: datetime, left: timedelta, told: str | None
) -> None:
    terms_of(certificate)
    Terms.objects.update(expires_at=at + left)
    said = ["expired" if one.is_expired else "expires" for one in ending_of(world.wang)]
    assert said == ([told] if told else [])


def test_the_page_says_it_to_the_holder_alone(certificate: Certificate, world: World) -> None:
    terms_of(certificate)
    Terms.objects.update(expires_at=now() + timedelta(days=3))
    page = text(as_person(world.wang), "/learn/courses/")
    assert f"Your certificate of “{certificate.course_title}” expires on" in page
    assert certificate.get_absolute_url() in page
    assert "Your certificate of" not in text(as_person(world.li), "/learn/courses/")
    Terms.objects.update(expires_at=now() - timedelta(days=3))
    assert "expired on" in text(as_person(world.wang), "/learn/courses/")


def test_not_of_one_that_was_taken_back(certificate: Certificate, world: World) -> None:
    terms_of(certificate)
    Terms.objects.update(expires_at=now() + timedelta(days=3))
    taken = Revocation.objects.create(certificate=certificate, reason="Error", revoked_at=now())
    assert not ending_of(world.wang)
    taken.undone_at = now()
    taken.save()
    assert len(ending_of(world.wang)) == 1


def test_one_whose_terms_nobody_has_asked_for_yet(certificate: Certificate, world: World) -> None:
    Terms.objects.all().delete()
    BadgeRule.objects.update_or_create(
        course=certificate.enrolment.course, defaults={"valid_months": 1}
    )
    Certificate.objects.update(issued_at=now() - timedelta(days=20))
    assert len(ending_of(world.wang)) == 1
    assert Terms.objects.count() == 1


def test_not_of_one_for_ever(certificate: Certificate, world: World) -> None:
    terms_of(certificate)
    assert not ending_of(world.wang)
