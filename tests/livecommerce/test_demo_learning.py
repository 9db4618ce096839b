"""What the demo shows of learning, made by the services that people's pages use."""

from __future__ import annotations

import pytest

from courses.badges import issuing
from courses.badges.terms import standing_of
from courses.cohorts import standing
from courses.cohorts.models import Cohort
from courses.models import Certificate, Course
from courses.practice.models import PracticeTask
from courses.quizzes import editing
from courses.quizzes.models import Kind, Quiz
from courses.services import authoring
from courses.services.certificates import verify
from livecommerce.demo.learning import ensure_class
from livecommerce.demo.past_show import COURSE, LESSONS
from livecommerce.demo.world import Orchard, ensure_orchard
from tests.courses.conftest import MakeClip, make_clip

__all__ = ["make_clip"]


@pytest.fixture
def orchard(make_clip: MakeClip) -> Orchard:
    """The demo's orchard with its course, whose lessons are as long as the real ones."""
    orchard = ensure_orchard()
    course = authoring.create_course(author=orchard.users["chen"], title=COURSE, summary="")
    for title, start_s, end_s in LESSONS:
        authoring.add_lesson(course, make_clip(title, duration_s=end_s - start_s), title)
    authoring.publish(course)
    return orchard


def test_a_newcomer_finds_each_part_of_learning(orchard: Orchard) -> None:
    ensure_class(orchard, lambda _line: None)
    [quiz] = Quiz.objects.filter(is_open=True)
    assert {one.kind for one in editing.current_wordings(quiz)} == set(Kind)
    assert PracticeTask.objects.get().goods.count() == 2
    [cohort] = Cohort.objects.all()
    assert cohort.facilitator == orchard.users["chen"]
    found = standing.standing_of(cohort)
    states = {one.user.username: (one.done, one.state) for one in found.people}
    assert states == {
        "wang": (1, "on_way"),
        "trainee-fang": (2, "on_way"),
        "trainee-lin": (0, "behind"),
    }
    [certificate] = Certificate.objects.all()
    assert certificate.holder_name == "Hu Yan 胡燕"
    assert verify(certificate).is_valid
    assert standing_of(certificate).holds
    assert issuing.badge_of(certificate) is not None


def test_the_next_start_makes_nothing_again(orchard: Orchard) -> None:
    ensure_class(orchard, lambda _line: None)
    said: list[str] = []
    ensure_class(orchard, said.append)
    assert said == []
    assert Cohort.objects.count() == Certificate.objects.count() == 1


def test_what_breaks_off_leaves_nothing(orchard: Orchard, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the next start makes all of it."""

    def broken(*_given: object) -> None:
        raise RuntimeError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr("courses.cohorts.places.open_cohort", broken)
        with pytest.raises(RuntimeError):
            ensure_class(orchard, lambda _line: None)
    assert not Quiz.objects.exists()
    assert not Certificate.objects.exists()
    ensure_class(orchard, lambda _line: None)
    assert Course.objects.get().cohorts.exists()
