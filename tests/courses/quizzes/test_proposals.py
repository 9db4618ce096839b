"""What buyers asked in a show and nobody answered is proposed for a quiz, and no more than that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client

from core.accounts.models import User
from core.clock import now
from core.ids import new_id
from core.realtime.models import LogEntry
from courses.models import Lesson
from courses.quizzes import editing, proposals
from courses.quizzes.models import Question, Quiz
from livecommerce.people import leaving
from media_pipeline.models import Recording, RecordingState, TakeState
from streams.models import Audience, Show
from tests.courses.quizzes.conftest import CHOICE
from tests.world import PASSWORD, World

SHOW_S = 60
Ask = Callable[..., UUID]


@pytest.fixture
def lesson(picking: Lesson) -> Lesson:
    """Cut from seconds 10 to 30 of a show of a minute."""
    recording = picking.asset.recording
    Recording.objects.filter(pk=recording.pk).update(
        state=RecordingState.READY, duration_s=SHOW_S, sealed_at=now()
    )
    recording.takes.create(
        public_id=new_id(),
        position=0,
        mime="video/webm",
        state=TakeState.SEALED,
        started_at=now() - timedelta(minutes=10),
        duration_s=SHOW_S,
    )
    type(picking.asset).objects.filter(pk=picking.asset.pk).update(start_s=10, end_s=30)
    picking.asset.refresh_from_db()
    return picking


@pytest.fixture
def ask(world: World, lesson: Lesson) -> Ask:
    """A line of the chat at a second of the show; its id."""

    def said(
        at_s: float,
        text: str,
        *,
        who: User | None = None,
        kind: str = "chat.message",
        **other: object,
    ) -> UUID:
        user, fact_id = who or world.li, new_id()
        data = {"name": user.shown_name, "user_id": str(user.public_id), "role": "viewer"}
        LogEntry.objects.create(
            topic=world.show.topic,
            epoch="e",
            seq=LogEntry.objects.count() + 1,
            at=_began(lesson) + timedelta(seconds=at_s),
            type=kind,
            data={**data, "text": text, "question": True, **other},
            fact_id=fact_id,
        )
        return fact_id

    return said


def _began(lesson: Lesson) -> datetime:
    began = lesson.asset.recording.takes.get().started_at
    assert began
    return began


def texts(lesson: Lesson) -> list[str]:
    quiz = Quiz.objects.filter(lesson=lesson).first()
    return [one.text for one in proposals.proposals(lesson, quiz)]


def page(lesson: Lesson, what: str = "edit/") -> str:
    return f"{lesson.get_absolute_url()}quiz/{what}"


def as_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_lessons_own_questions_come_first(lesson: Lesson, ask: Ask) -> None:
    ask(50, "Do you send to Lanzhou?")
    ask(51, "do you send to lanzhou ?")
    ask(5, "Is it organic?")
    ask(12, "How heavy is a box?")
    found = proposals.proposals(lesson, None)
    assert [(one.text, one.at_s, one.times) for one in found] == [
        ("How heavy is a box?", 2.0, 1),
        ("Do you send to Lanzhou?", None, 2),
        ("Is it organic?", None, 1),
    ]


def test_only_what_viewers_asked_is_proposed(world: World, lesson: Lesson, ask: Ask) -> None:
    ask(12, "Lovely!", question=False)
    ask(13, "Any questions?", who=world.zhang, role="host")
    ask(14, "Is the sound good?", who=world.chen, role="moderator")
    assert texts(lesson) == []


def test_answered_ones_are_not_proposed_until_that_is_taken_back(lesson: Lesson, ask: Ask) -> None:
    asked = ask(12, "How heavy is a box?")
    ask(13, "", kind="chat.answered", id=str(asked))
    assert texts(lesson) == []
    ask(14, "", kind="chat.unanswered", id=str(asked))
    assert texts(lesson) == ["How heavy is a box?"]


def test_what_a_moderator_took_away_is_not_proposed(lesson: Lesson, ask: Ask) -> None:
    LogEntry.objects.filter(fact_id=ask(12, "Why so ugly?")).update(removed_at=now())
    assert texts(lesson) == []


def test_who_deleted_their_account_asked_nothing(world: World, lesson: Lesson, ask: Ask) -> None:
    ask(12, "How heavy is a box?")
    ask(14, "Is it sweet?", who=world.gao)
    leaving.leave(world.li, PASSWORD, sure=True)
    assert texts(lesson) == ["Is it sweet?"]


def test_names_and_long_numbers_are_taken_out(world: World, lesson: Lesson, ask: Ask) -> None:
    ask(11, "Hello from me", who=world.gao, question=False)
    ask(12, "Can Gao call me at 138 0000 1111?")
    [text] = texts(lesson)
    assert "Gao" not in text
    assert text.endswith("call me at …?")


def test_no_more_than_a_dozen_are_proposed(lesson: Lesson, ask: Ask) -> None:
    for number in range(proposals.MOST + 3):
        ask(11 + number, f"Question {'abcdefghijklmnopqr'[number]}?")
    assert len(texts(lesson)) == proposals.MOST


def test_of_a_long_chat_only_the_beginning_is_read(
    lesson: Lesson, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "MOST_READ", 2)
    for at_s, text in ((11, "One?"), (12, "Two?"), (13, "Three?")):
        ask(at_s, text)
    assert texts(lesson) == ["One?", "Two?"]


def test_of_a_show_for_guests_only_the_lessons_minutes_are_read(
    world: World, lesson: Lesson, ask: Ask
) -> None:
    ask(12, "How heavy is a box?")
    ask(50, "Do you send to Lanzhou?")
    Show.objects.filter(pk=world.show.pk).update(audience=Audience.INVITED)
    assert texts(lesson) == ["How heavy is a box?"]


def test_a_practice_proposes_nothing(world: World, lesson: Lesson, ask: Ask) -> None:
    ask(12, "How heavy is a box?")
    Show.objects.filter(pk=world.show.pk).update(is_practice=True)
    assert texts(lesson) == []


def test_nothing_is_asked_before_a_person_has_written_it(
    world: World, lesson: Lesson, ask: Ask
) -> None:
    """A proposal is no question; one that was taken is proposed no more."""
    asked = ask(12, "How heavy is a box?")
    chen = as_person(world.chen)
    assert "How heavy is a box?" in chen.get(page(lesson)).content.decode()
    assert not Question.objects.exists()
    [proposal] = proposals.proposals(lesson, None)
    quiz = editing.quiz_for(lesson, world.chen)
    question = editing.add_question(
        quiz, replace(CHOICE, text="How heavy?"), world.chen, proposal=proposal
    )
    assert (question.source_id, question.source_text) == (asked, "How heavy is a box?")
    assert texts(lesson) == []
    assert editing.paper_of(quiz) is None


def test_each_is_set_aside_by_a_person_who_may(world: World, lesson: Lesson, ask: Ask) -> None:
    first, _second = ask(12, "How heavy is a box?"), ask(13, "Is it sweet?")
    sent = {"do": "set_aside", "proposal": str(first)}
    for stranger in (world.wang, world.gao):
        assert as_person(stranger).post(page(lesson), sent).status_code in (403, 404)
    assert len(texts(lesson)) == 2
    assert as_person(world.chen).post(page(lesson), sent).status_code == 302
    assert texts(lesson) == ["Is it sweet?"]
    for unknown in (str(new_id()), "x"):
        answer = as_person(world.chen).post(page(lesson), {**sent, "proposal": unknown})
        assert answer.status_code == 404
