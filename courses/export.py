"""What courses keep about one person, as they may take it with them.

Of JSON types, times in UTC.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from core.accounts.models import User
from core.clock import iso_ms
from courses.badges.models import Badge
from courses.badges.terms import standing_of
from courses.cohorts import messages
from courses.cohorts.models import Message, Place
from courses.models import Certificate
from courses.practice.models import Attempt
from courses.quizzes.models import Try
from courses.reviews.models import Answer, Review, ReviewState


def learnt_by(user: User) -> dict[str, object]:
    """Everything but the courses and what was watched of them."""
    return {
        "quiz_tries": [_try(one) for one in _tries(user)],
        "cohorts": [_place(one) for one in user.cohort_places.select_related("cohort__course")],
        "cohort_messages": {
            "received": [_message(one) for one in messages.messages_for(user).order_by("pk")],
            "sent": [_message(one) for one in _sent(user)],
        },
        "practice": [_attempt(one) for one in _attempts(user)],
        "reviews": {
            "of_my_practice": [_review(one) for one in _sent_reviews(user)],
            "written_by_me": [_review(one) for one in _reviews().filter(mentor=user)],
            "answers_by_me": [
                {"said_at": _at(one.said_at), "text": one.text}
                for one in Answer.objects.filter(author=user)
            ],
        },
        "certificates": [_certificate(one) for one in _certificates(user)],
    }


def _tries(user: User) -> list[Try]:
    found = Try.objects.filter(enrolment__user=user).select_related("paper__quiz__lesson")
    return list(found.prefetch_related("answers__wording"))


def _try(one: Try) -> dict[str, object]:
    return {
        "lesson": one.paper.quiz.lesson.title,
        "number": one.number,
        "handed_in_at": _at(one.handed_in_at),
        "right": one.right,
        "asked": one.asked,
        "is_passed": one.is_passed,
        "is_late": one.is_late,
        "answers": [
            {
                "question": answer.wording.text,
                "given": _words(answer.given, answer.wording.options),
                "is_right": answer.is_right,
            }
            for answer in one.answers.all()
        ],
    }


def _words(given: object, options: list[dict[str, str]]) -> object:
    """What was answered, in the words of the options; numbers and moments as they are."""
    texts = {option["id"]: option["text"] for option in options}
    if isinstance(given, list):
        return [texts.get(str(one), one) for one in given]
    return given


def _place(place: Place) -> dict[str, object]:
    return {
        "name": place.cohort.name,
        "course": place.cohort.course.title,
        "how": place.how,
        "joined_at": _at(place.joined_at),
        "left_at": _at(place.left_at),
    }


def _sent(user: User) -> list[Message]:
    return list(Message.objects.filter(sent_by=user).select_related("cohort").order_by("pk"))


def _message(one: Message) -> dict[str, object]:
    return {
        "cohort": one.cohort.name,
        "at": _at(one.sent_at),
        "text": one.text,
        "to": "one" if one.to_id else "all",
    }


def _attempts(user: User) -> list[Attempt]:
    found = Attempt.objects.filter(enrolment__user=user).select_related("task__lesson")
    return list(found.order_by("pk"))


def _attempt(one: Attempt) -> dict[str, object]:
    return {
        "lesson": one.task.lesson.title,
        "number": one.number,
        "state": one.state,
        "language": one.language,
        "opened_at": _at(one.opened_at),
        "began_at": _at(one.began_at),
        "ended_at": _at(one.ended_at),
        "submitted_at": _at(one.submitted_at),
        "decided_at": _at(one.decided_at),
        "film_deleted_at": _at(one.film_deleted_at),
        "result": one.result,
    }


def _reviews() -> QuerySet[Review]:
    found = Review.objects.select_related("attempt__task__lesson").order_by("pk")
    return found.prefetch_related("comments", "answers")


def _sent_reviews(user: User) -> QuerySet[Review]:
    """A draft is its mentor's alone until it is sent."""
    return _reviews().filter(attempt__enrolment__user=user, state=ReviewState.SENT)


def _review(one: Review) -> dict[str, object]:
    return {
        "lesson": one.attempt.task.lesson.title,
        "attempt": one.attempt.number,
        "state": one.state,
        "verdict": one.verdict,
        "sent_at": _at(one.sent_at),
        "words": one.words,
        "rows": one.rows,
        "marks": one.marks,
        "comments": [{"at_s": made.at_s, "text": made.text} for made in one.comments.all()],
        "answers": [
            {"said_at": _at(made.said_at), "text": made.text} for made in one.answers.all()
        ],
    }


def _certificates(user: User) -> QuerySet[Certificate]:
    return Certificate.objects.filter(enrolment__user=user).select_related("enrolment__course")


def _certificate(one: Certificate) -> dict[str, object]:
    standing = standing_of(one)
    return {
        "number": one.number,
        "holder_name": one.holder_name,
        "course": one.course_title,
        "lesson_count": one.lesson_count,
        "watched_s": one.watched_s,
        "issued_at": _at(one.issued_at),
        "expires_at": _at(standing.expires_at),
        "revocations": [
            {
                "reason": made.reason,
                "revoked_at": _at(made.revoked_at),
                "undone_at": _at(made.undone_at),
            }
            for made in one.revocations.all()
        ],
        "badges": [_badge(made) for made in one.badges.all()],
    }


def _badge(badge: Badge) -> dict[str, object]:
    return {
        "id": str(badge.public_id),
        "issued_at": _at(badge.issued_at),
        "expires_at": _at(badge.expires_at),
        "replaced_at": _at(badge.replaced_at),
        "token": badge.token,
    }


def _at(moment: datetime | None) -> str | None:
    return iso_ms(moment) if moment else None
