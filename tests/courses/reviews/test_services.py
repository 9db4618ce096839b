from __future__ import annotations

import dataclasses
from datetime import timedelta
from uuid import uuid4

import pytest

from core.clock import now
from core.errors import Conflict, InvalidInput
from core.models import OutboxFact
from courses.models import Course, Enrolment
from courses.practice.models import Attempt, AttemptState
from courses.reviews import rubrics, selectors, services
from courses.reviews.models import Answer, Comment, Review
from tests.courses.reviews.conftest import SECONDS, HandIn, draft
from tests.world import World, person


def began(attempt: Attempt, world: World) -> Review:
    return services.claim(attempt, world.chen)


def test_only_one_mentor_writes_at_a_time(world: World, attempt: Attempt) -> None:
    began(attempt, world)
    services.save_draft(attempt, world.chen, draft((3, "Closer")))
    with pytest.raises(services.TakenOver, match="Chen is writing"):
        services.claim(attempt, world.zhao)
    with pytest.raises(services.TakenOver):
        services.save_draft(attempt, world.zhao, draft((3, "Louder")))
    assert [one.text for one in Comment.objects.all()] == ["Closer"]


def test_who_goes_on_after_half_an_hour_finds_what_was_written(
    world: World, attempt: Attempt
) -> None:
    review = began(attempt, world)
    services.save_draft(attempt, world.chen, draft((3, "Closer")))
    Review.objects.update(changed_at=now() - services.IDLE - timedelta(seconds=1))
    assert services.claim(attempt, world.zhao).comments.get().text == "Closer"
    with pytest.raises(services.TakenOver, match="Zhao is writing"):
        services.save_draft(attempt, world.chen, draft((3, "Mine"), base=review.version + 1))


def test_a_draft_that_comes_twice_or_late_changes_nothing(world: World, attempt: Attempt) -> None:
    began(attempt, world)
    first = draft((3, "Clo"))
    later = dataclasses.replace(
        first, revision=2, comments=[dataclasses.replace(first.comments[0], text="Closer")]
    )
    services.save_draft(attempt, world.chen, later)
    again = services.save_draft(attempt, world.chen, first)
    assert again.comments.get().text == "Closer"
    assert again.version == services.save_draft(attempt, world.chen, later).version == 1


def test_another_page_of_the_same_mentor_is_told_instead_of_writing_over(
    world: World, attempt: Attempt
) -> None:
    began(attempt, world)
    services.save_draft(attempt, world.chen, draft(words="From the computer"))
    phone = draft(words="From the phone")
    with pytest.raises(services.ChangedElsewhere):
        services.save_draft(attempt, world.chen, phone)
    both = dataclasses.replace(phone, base=1, revision=2, words="Both")
    assert services.save_draft(attempt, world.chen, both).words == "Both"


@pytest.mark.parametrize(
    ("at_s", "text", "what"),
    [
        (-0.1, "a", "belongs to a moment"),
        (SECONDS + 1.5, "a", "has ended"),
        (float("nan"), "a", "belongs to a moment"),
        (3, "a" * 10_000, "at most 2000"),
    ],
)
def test_a_bad_comment_is_named_and_nothing_is_lost(
    world: World, attempt: Attempt, at_s: float, text: str, what: str
) -> None:
    began(attempt, world)
    services.save_draft(
        attempt, world.chen, good := draft((3, "👩‍🌾 Closer 🍎"), words="Well done")
    )
    bad = draft((3, "Closer"), (at_s, text), tab=good.tab, revision=2)
    with pytest.raises(InvalidInput, match=what) as told:
        services.save_draft(attempt, world.chen, bad)
    assert told.value.field == f"comments.{bad.comments[1].id}"
    assert Comment.objects.get().text == "👩‍🌾 Closer 🍎"
    assert Review.objects.get().words == "Well done"


def test_nobody_takes_the_comment_of_another_review(
    world: World, hand_in: HandIn, attempt: Attempt
) -> None:
    began(attempt, world)
    services.save_draft(attempt, world.chen, mine := draft((3, "Closer")))
    other = hand_in(number=2)
    began(other, world)
    with pytest.raises(InvalidInput, match="same id"):
        services.save_draft(other, world.chen, draft(comments=mine.comments))
    assert Comment.objects.get().review.attempt == attempt


def test_accepted_twice_is_once_and_decides_the_attempt(world: World, attempt: Attempt) -> None:
    began(attempt, world)
    last = draft((3, "Lovely"), (4, ""), words="Go live", marks={0: 2})
    first = services.send(attempt, world.chen, last, "accepted")
    again = services.send(attempt, world.chen, last, "accepted")
    assert again.sent_at == first.sent_at
    assert [one.text for one in again.comments.all()] == ["Lovely"]
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.ACCEPTED
    assert OutboxFact.objects.filter(type="practice.AttemptDecided").count() == 1
    with pytest.raises(services.AlreadySent):
        services.send(attempt, world.chen, last, "again")
    with pytest.raises(services.AlreadySent):
        services.save_draft(attempt, world.chen, last)
    with pytest.raises(services.AlreadySent):
        services.claim(attempt, world.zhao)


def test_a_page_whose_words_were_not_sent_is_told(world: World, attempt: Attempt) -> None:
    began(attempt, world)
    services.send(attempt, world.chen, draft(words="Go live"), "accepted")
    with pytest.raises(services.AlreadySent):
        services.send(attempt, world.chen, draft(words="And smile", tab=uuid4()), "accepted")


def test_try_again_says_why(world: World, attempt: Attempt) -> None:
    began(attempt, world)
    with pytest.raises(InvalidInput, match="what to do better"):
        services.send(attempt, world.chen, draft((3, " ")), "again")
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.SUBMITTED


def test_a_rubric_changed_later_does_not_reach_what_was_begun(
    world: World, course: Course, attempt: Attempt
) -> None:
    begun = began(attempt, world)
    row: rubrics.Row = {"title": "Voice", "about": "", "levels": ["Low", "", "Clear"]}
    rubrics.save(course, [row], version=0, actor=world.chen)
    services.save_draft(attempt, world.chen, draft(marks={4: 2}))
    sent = services.send(attempt, world.chen, draft(base=1, marks={4: 2}), "accepted")
    assert sent.rows == begun.rows == rubrics.default_rows("en")
    assert selectors.review_view(sent).rows[4].said == "Honest, calm and lively"
    assert rubrics.rows_for(course, "zh")[0]["levels"] == ["Low", "Clear"]
    with pytest.raises(rubrics.RubricChanged):
        rubrics.save(course, [row], version=0, actor=world.zhao)


def test_answers_come_once_and_only_after_it_was_sent(world: World, attempt: Attempt) -> None:
    review = began(attempt, world)
    said = {"answer_id": uuid4(), "text": "I will", "comment_id": None}
    with pytest.raises(Conflict):
        services.answer(review, world.wang, **said)
    review = services.send(attempt, world.chen, draft((3, "Closer")), "again")
    services.answer(review, world.wang, **said)
    services.answer(review, world.wang, **said)
    assert Answer.objects.count() == 1
    assert list(selectors.unread_by_mentor(world.chen)) == [review]
    services.note_read(review, world.chen, is_trainee=False)
    assert not selectors.unread_by_mentor(world.chen)
    with pytest.raises(InvalidInput):
        services.answer(review, world.wang, answer_id=uuid4(), text="!", comment_id=uuid4())


def test_the_queue_is_oldest_first_and_tells_how_long_first_reviews_took(
    world: World, hand_in: HandIn, enrolment: Enrolment
) -> None:
    first, second = hand_in(hours_ago=3), hand_in(number=2, hours_ago=26)
    assert [one.attempt for one in selectors.queue(world.chen)] == [second, first]
    assert selectors.queue(world.wang) == []
    assert selectors.queue(person("mei", "Mei")) == []
    assert selectors.first_reviews().median_s is None
    began(first, world)
    services.send(first, world.chen, draft(words="Good"), "accepted")
    [left] = selectors.queue(world.chen)
    assert left.attempt == second
    assert selectors.first_reviews().median_s == pytest.approx(26 * 3600, abs=60)
