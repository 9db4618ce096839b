"""The HTTP API of reviews: claiming, writing as one types, sending, answering."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, StrictFloat, StrictInt

from core.accounts.access import signed_in
from core.accounts.models import User
from core.api import session_user
from courses.practice.access import is_own, no_such_attempt
from courses.practice.models import Attempt
from courses.reviews import access, films, services
from courses.reviews.models import Answer, Review

router = Router(tags=["reviews"], auth=session_user)

MOST_ROWS_SENT = 50
COUNT = Annotated[StrictInt, Field(ge=0, lt=2**31)]
ROW = Annotated[int, Field(ge=0, lt=MOST_ROWS_SENT)]


class StrictInput(Schema):
    model_config = ConfigDict(extra="forbid")


class CommentIn(StrictInput):
    """`at_s` are seconds of the recording; `id` is made by the page, once."""

    id: UUID
    at_s: StrictFloat
    text: str


class DraftIn(StrictInput):
    """All that a page has. `tab` is the page, `revision` counts what it sends, from 1; `base` is
    the `version` of the draft that it last heard of."""

    tab: UUID
    revision: COUNT
    base: COUNT
    words: str = ""
    marks: Annotated[dict[ROW, COUNT], Field(max_length=MOST_ROWS_SENT)] = {}
    comments: Annotated[list[CommentIn], Field(max_length=2 * services.MOST_COMMENTS)] = []


class SendIn(DraftIn):
    verdict: str


class CommentOut(Schema):
    id: UUID
    at_s: float
    text: str


class DraftOut(Schema):
    """`tab` and `revision` say which page wrote it, and what of that page's."""

    version: int
    tab: UUID | None
    revision: int
    changed_at: datetime
    words: str
    marks: dict[str, int]
    comments: list[CommentOut]


class SentOut(Schema):
    verdict: str
    sent_at: datetime


class AnswerIn(StrictInput):
    """`comment_id` is empty for an answer to the review as a whole."""

    id: UUID
    text: str
    comment_id: UUID | None = None


class AnswerOut(Schema):
    id: UUID
    author: str
    text: str
    said_at: datetime


class FilmOut(Schema):
    """`state` is "ready", "waiting" or "gone"; the address is good for a while only."""

    state: str
    replay_url: str | None
    poster_url: str | None
    duration_s: float


def draft_out(review: Review) -> DraftOut:
    comments = [
        CommentOut(id=one.public_id, at_s=one.at_s, text=one.text) for one in review.comments.all()
    ]
    return DraftOut(
        version=review.version,
        tab=review.tab,
        revision=review.revision,
        changed_at=review.changed_at,
        words=review.words,
        marks=review.marks,
        comments=comments,
    )


def answer_out(answer: Answer) -> AnswerOut:
    return AnswerOut(
        id=answer.public_id,
        author=answer.author.shown_name,
        text=answer.text,
        said_at=answer.said_at,
    )


def _draft(body: DraftIn) -> services.Draft:
    comments = [services.Pinned(one.id, one.at_s, one.text) for one in body.comments]
    return services.Draft(
        tab=body.tab,
        revision=body.revision,
        base=body.base,
        words=body.words,
        marks=body.marks,
        comments=comments,
    )


def _to_review(request: HttpRequest, attempt_id: UUID) -> tuple[Attempt, User]:
    return access.attempt_to_review(request.user, attempt_id), signed_in(request.user)


@router.get("/reviews/{uuid:attempt_id}/film", response=FilmOut)
def film(request: HttpRequest, attempt_id: UUID) -> films.Film:
    """Where the practice's recording is now."""
    return films.film_of(access.attempt_to_read(request.user, attempt_id))


@router.get("/reviews/{uuid:attempt_id}/draft", response=DraftOut)
def draft(request: HttpRequest, attempt_id: UUID) -> DraftOut:
    """The draft as the server has it, for who writes it."""
    attempt, actor = _to_review(request, attempt_id)
    review = Review.objects.filter(attempt=attempt, mentor=actor).first()
    if review is None:
        raise no_such_attempt()
    return draft_out(review)


@router.put("/reviews/{uuid:attempt_id}/draft", response=DraftOut)
def save(request: HttpRequest, attempt_id: UUID, body: DraftIn) -> DraftOut:
    """Keep what is written so far. The same again changes nothing."""
    attempt, actor = _to_review(request, attempt_id)
    return draft_out(services.save_draft(attempt, actor, _draft(body)))


@router.post("/reviews/{uuid:attempt_id}/send", response=SentOut)
def send(request: HttpRequest, attempt_id: UUID, body: SendIn) -> Review:
    """Send the review for good, with all that is written. Twice is once."""
    attempt, actor = _to_review(request, attempt_id)
    return services.send(attempt, actor, _draft(body), body.verdict)


@router.post("/reviews/{uuid:attempt_id}/answers", response={201: AnswerOut})
def answer(request: HttpRequest, attempt_id: UUID, body: AnswerIn) -> Status[AnswerOut]:
    """Say something about a sent review: its trainee, its mentor, and who may review."""
    attempt = access.attempt_to_read(request.user, attempt_id)
    review = _sent_review(attempt, signed_in(request.user))
    made = services.answer(
        review,
        signed_in(request.user),
        answer_id=body.id,
        text=body.text,
        comment_id=body.comment_id,
    )
    return Status(201, answer_out(made))


def _sent_review(attempt: Attempt, user: User) -> Review:
    """A draft is nobody's business but its mentor's."""
    review = Review.objects.select_related("attempt__enrolment__user").filter(attempt=attempt)
    found = review.first()
    if found is None or (is_own(user, attempt) and not found.is_sent):
        raise no_such_attempt()
    return found
