"""The copy of one's data has what one learnt, practised, was told and earned; and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.accounts.models import User
from core.ids import new_id
from courses.badges import issuing
from courses.badges.terms import Shown
from courses.cohorts import messages, places
from courses.cohorts.models import How
from courses.cohorts.places import Terms
from courses.models import Certificate, Course, Enrolment, Lesson
from courses.quizzes.models import Quiz
from courses.reviews import services as reviews
from courses.reviews.models import Review
from courses.services import learning
from tests.courses.badges.conftest import key_folder
from tests.courses.quizzes.conftest import hand_in, quiz, right_answers, wrong_choice
from tests.courses.reviews.conftest import draft, maker
from tests.courses.test_pages import as_person
from tests.world import World

__all__ = ["key_folder", "quiz"]


def taken(user: User) -> Any:
    """As the page gives it."""
    return as_person(user).get("/me/data/").json()["learning"]


def test_quiz_tries_are_there_with_the_answers_in_words(
    world: World, enrolment: Enrolment, quiz: Quiz
) -> None:
    hand_in(enrolment, quiz, right_answers(quiz, choice=wrong_choice(quiz)))
    [one] = taken(world.wang)["quiz_tries"]
    assert (one["lesson"], one["right"], one["asked"]) == ("Picking", 3, 4)
    said = {answer["question"]: answer for answer in one["answers"]}
    assert said["What do you show first?"]["given"] == ["The price"]
    assert said["How heavy is a box?"]["given"] == 5.0
    assert not said["What do you show first?"]["is_right"]
    assert taken(world.li)["quiz_tries"] == []


def test_classes_and_what_was_written_in_them_are_there(world: World, course: Course) -> None:
    cohort = places.open_cohort(course, Terms("Lixian, spring", world.chen), world.zhao)
    places.join(cohort, world.wang, How.LINK)
    places.join(cohort, world.li, How.LINK)
    messages.send(cohort, world.chen, "Welcome, all")
    messages.send(cohort, world.chen, "Li alone", to=world.li)
    mine = taken(world.wang)
    assert [(one["name"], one["how"]) for one in mine["cohorts"]] == [("Lixian, spring", "link")]
    assert [one["text"] for one in mine["cohort_messages"]["received"]] == ["Welcome, all"]
    sent = taken(world.chen)["cohort_messages"]["sent"]
    assert [one["text"] for one in sent] == ["Welcome, all", "Li alone"]


def test_practice_and_its_review_are_there_for_both(
    world: World, enrolment: Enrolment, picking: Lesson
) -> None:
    attempt = maker(world, enrolment, picking)()
    reviews.claim(attempt, world.chen)
    reviews.save_draft(attempt, world.chen, draft((3.0, "Closer"), words="Half a thought"))
    assert taken(world.wang)["reviews"]["of_my_practice"] == []
    assert taken(world.chen)["reviews"]["written_by_me"][0]["words"] == "Half a thought"
    last = draft((3.0, "Closer"), words="Well done", revision=2, base=1)
    reviews.send(attempt, world.chen, last, "again")
    review = Review.objects.get()
    reviews.answer(review, world.wang, answer_id=new_id(), text="Thank you", comment_id=None)
    mine = taken(world.wang)
    assert [one["lesson"] for one in mine["practice"]] == ["Picking"]
    [told] = mine["reviews"]["of_my_practice"]
    assert (told["verdict"], told["words"]) == ("again", "Well done")
    assert told["comments"] == [{"at_s": 3.0, "text": "Closer"}]
    assert [one["text"] for one in mine["reviews"]["answers_by_me"]] == ["Thank you"]


@pytest.mark.usefixtures("key_folder")
def test_certificates_and_badges_are_there(
    world: World, enrolment: Enrolment, picking: Lesson, packing: Lesson, tmp_path: Path
) -> None:
    for lesson in (picking, packing):
        learning.report_watched(enrolment, lesson, [(0, 20)])
    certificate = Certificate.objects.get()
    badge = issuing.choose(certificate, Shown(name=True), "https://shop.example")
    issuing.revoke(certificate, world.chen, "By mistake")
    [one] = taken(world.wang)["certificates"]
    assert one["number"] == certificate.number
    assert [made["token"] for made in one["badges"]] == [badge.token]
    assert [made["reason"] for made in one["revocations"]] == ["By mistake"]
