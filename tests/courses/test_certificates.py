from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import Conflict
from courses.models import Certificate, Enrolment, Lesson
from courses.services import learning
from courses.services.certificates import issue_certificate, verify
from tests.world import World


@pytest.fixture
def certificate(enrolment: Enrolment, picking: Lesson, packing: Lesson) -> Certificate:
    learning.report_watched(enrolment, picking, [(0, 20)])
    learning.report_watched(enrolment, packing, [(0, 19)])
    return Certificate.objects.get()


def test_it_says_what_was_done(certificate: Certificate) -> None:
    assert certificate.holder_name == "Wang"
    assert certificate.course_title == "Apples on camera"
    assert (certificate.lesson_count, certificate.watched_s) == (2, 39)


def test_it_verifies(certificate: Certificate) -> None:
    assert verify(certificate).is_valid


def test_a_later_change_of_name_or_course_does_not_touch_it(
    certificate: Certificate, world: World
) -> None:
    world.wang.display_name = "Wang Fang"
    world.wang.save()
    certificate.enrolment.course.title = "Another title"
    certificate.enrolment.course.save()
    certificate.refresh_from_db()
    assert certificate.holder_name == "Wang"
    assert verify(certificate).is_valid


@pytest.mark.parametrize(
    "change",
    [
        {"holder_name": "Gao"},
        {"course_title": "Tractor driving"},
        {"lesson_count": 20},
        {"watched_s": 3900},
        {"number": "2026-AAAA-AAAA"},
        {"signature": ""},
        {"signature": "x" * 43},
    ],
    ids=str,
)
def test_a_changed_row_does_not_verify(certificate: Certificate, change: dict[str, object]) -> None:
    Certificate.objects.update(**change)
    certificate.refresh_from_db()
    verdict = verify(certificate)
    assert not verdict.is_valid
    assert verdict.reason


def test_another_date_does_not_verify(certificate: Certificate) -> None:
    certificate.issued_at -= timedelta(days=365)
    assert not verify(certificate).is_valid


def test_somebody_elses_enrolment_does_not_verify(certificate: Certificate, world: World) -> None:
    other = learning.enrol(world.li, certificate.enrolment.course)
    certificate.enrolment = other
    assert not verify(certificate).is_valid


def test_another_key_does_not_verify(certificate: Certificate, settings: object) -> None:
    settings.SECRET_KEY = "another instance"  # type: ignore[attr-defined]
    assert not verify(certificate).is_valid


def test_it_still_verifies_after_the_key_was_changed_with_care(
    certificate: Certificate, settings: object
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # type: ignore[attr-defined]
    settings.SECRET_KEY = "the new key"  # type: ignore[attr-defined]
    assert verify(certificate).is_valid


def test_none_is_issued_before_the_course_is_completed(enrolment: Enrolment) -> None:
    with pytest.raises(Conflict):
        issue_certificate(enrolment)
    assert not Certificate.objects.exists()


def test_issuing_again_gives_the_same_one(certificate: Certificate) -> None:
    assert issue_certificate(certificate.enrolment) == certificate
