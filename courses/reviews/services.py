"""Claiming a review, keeping its draft while it is written, sending it, and answering it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.text import clean_lines
from courses.practice import services as practice
from courses.practice.models import Attempt
from courses.reviews import films, rubrics
from courses.reviews.events import ReviewAnswered
from courses.reviews.models import Answer, Comment, Review, ReviewState, Verdict

LONGEST_WORDS, LONGEST_COMMENT = 4000, 2000
MOST_COMMENTS, MOST_ANSWERS = 200, 200
IDLE = timedelta(minutes=30)
"""After so long without a word another mentor may go on with a draft."""
END_SLACK_S = 1.0
"""Players stand a little behind the end that the list of segments promises."""


class TakenOver(Conflict):
    """Another mentor has this review."""

    code = "taken_over"


class AlreadySent(Conflict):
    code = "already_sent"


class ChangedElsewhere(Conflict):
    """The same mentor wrote on another page; `details` has that draft as `theirs`."""

    code = "changed_elsewhere"


@dataclass(frozen=True, slots=True)
class Pinned:
    """A comment of a draft. Its text may be empty while it is being written."""

    id: UUID
    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """All of a draft, as a page has it. `base` is the version that the page last heard of."""

    tab: UUID
    revision: int
    base: int
    words: str
    marks: Mapping[int, int]
    comments: Sequence[Pinned]


def claim(attempt: Attempt, actor: User) -> Review:
    """Make the review the actor's to write; twice changes nothing.

    What another mentor wrote before giving it back, or before `IDLE`, is kept in it. Raises
    `TakenOver` while somebody else is at it, `AlreadySent` after it was sent.
    """
    review = _review_of(attempt)
    if review.mentor_id == actor.pk and not review.is_sent:
        return review
    moment = now()
    free = Review.objects.filter(pk=review.pk, state=ReviewState.DRAFT)
    free = free.filter(Q(mentor=None) | Q(changed_at__lt=moment - IDLE))
    free.update(mentor=actor, changed_at=moment, tab=None, revision=0)
    review.refresh_from_db()
    _require_open(review, actor)
    return review


def give_back(attempt: Attempt, actor: User) -> None:
    """Let another mentor take it; what was written stays in it."""
    mine = Review.objects.filter(attempt=attempt, mentor=actor, state=ReviewState.DRAFT)
    mine.update(mentor=None, changed_at=now())


def save_draft(attempt: Attempt, actor: User, draft: Draft) -> Review:
    """Keep what a page has. The same again, or an older one that comes late, changes nothing.

    Raises `InvalidInput`, `TakenOver`, `AlreadySent`, or `ChangedElsewhere`.
    """
    with transaction.atomic():
        review = _held(attempt)
        _require_open(review, actor)
        _write(review, attempt, draft)
    return review


def send(attempt: Attempt, actor: User, draft: Draft, verdict: str) -> Review:
    """Send it for good, with what the page has; the attempt is decided in the same transaction.

    The same verdict again from the same page changes nothing, so that two taps are one; another
    page is told `AlreadySent`, for what is written there was not sent. Raises as `save_draft`, and
    `InvalidInput` for "try again" without a word about what to do better.
    """
    if verdict not in Verdict.values:
        raise InvalidInput(_("Say “try again” or “accepted”."), field="verdict")
    with transaction.atomic():
        review = _held(attempt)
        is_same_page = review.mentor_id == actor.pk and review.tab == draft.tab
        if review.is_sent and is_same_page and review.verdict == verdict:
            return review
        _require_open(review, actor)
        _write(review, attempt, draft)
        review.comments.filter(text="").delete()
        _require_reason(review, verdict)
        review.verdict, review.state, review.sent_at = verdict, ReviewState.SENT, now()
        review.mentor_read_at = review.sent_at
        review.save()
        practice.decide(attempt, verdict == Verdict.ACCEPTED, actor)
    return review


def answer(
    review: Review, author: User, *, answer_id: UUID, text: str, comment_id: UUID | None
) -> Answer:
    """Say something about a sent review; the same id again is the same answer.

    Raises `InvalidInput`, or `Conflict` before it is sent and when all has been said.
    """
    if not review.is_sent:
        raise Conflict(_("The mentor has not sent this review yet."))
    said = clean_lines(text, "text", longest=LONGEST_COMMENT)
    if not said:
        raise InvalidInput(_("Please fill this in."), field="text")
    comment = _comment_of(review, comment_id)
    if known := Answer.objects.filter(public_id=answer_id).first():
        return _same_answer(known, review, author)
    if review.answers.count() >= MOST_ANSWERS:
        raise Conflict(_("There is no room for more answers here. Meet, and talk."))
    try:
        with transaction.atomic():
            made = review.answers.create(
                public_id=answer_id, author=author, comment=comment, text=said, said_at=now()
            )
            _tell_answered(review, made)
    except IntegrityError:
        return _same_answer(Answer.objects.get(public_id=answer_id), review, author)
    return made


def note_read(review: Review, reader: User, *, is_trainee: bool) -> None:
    """Whoever opened it knows what is in it."""
    moment = now()
    if is_trainee:
        Review.objects.filter(pk=review.pk).update(trainee_read_at=moment)
    else:
        Review.objects.filter(pk=review.pk, mentor=reader).update(mentor_read_at=moment)


def _review_of(attempt: Attempt) -> Review:
    """The attempt's review, begun with today's rubric if there is none."""
    begun = {
        "rows": rubrics.rows_for(attempt.enrolment.course, attempt.language),
        "changed_at": now(),
    }
    return Review.objects.get_or_create(attempt=attempt, defaults=begun)[0]


def _held(attempt: Attempt) -> Review:
    """The review, which nobody else changes until we commit."""
    review = Review.objects.select_for_update().filter(attempt=attempt).first()
    if review is None:
        raise Conflict(_("Tap “Begin the review” first."))
    return review


def _require_open(review: Review, actor: User) -> None:
    if review.is_sent:
        raise AlreadySent(_("This review was sent already: nothing of it can be changed."))
    if review.mentor_id == actor.pk:
        return
    if review.mentor is None:
        raise TakenOver(_("You gave this review back. Begin it again to go on."))
    raise TakenOver(
        _("%(name)s is writing this review now. Nothing of yours was put over theirs.")
        % {"name": review.mentor.shown_name}
    )


def _write(review: Review, attempt: Attempt, draft: Draft) -> None:
    is_same_page = review.tab == draft.tab
    if is_same_page and draft.revision <= review.revision:
        return
    words = clean_lines(draft.words, "words", longest=LONGEST_WORDS)
    marks = _checked_marks(review, draft.marks)
    comments = _checked_comments(review, attempt, draft.comments)
    if not is_same_page and draft.base != review.version:
        raise ChangedElsewhere(_("You have also written on another page."))
    review.words, review.marks = words, marks
    review.tab, review.revision = draft.tab, draft.revision
    review.version, review.changed_at = review.version + 1, now()
    review.save()
    _write_comments(review, comments)


def _checked_marks(review: Review, marks: Mapping[int, int]) -> dict[str, int]:
    for row, level in marks.items():
        if not 0 <= row < len(review.rows) or not 0 <= level < len(review.rows[row]["levels"]):
            raise InvalidInput(_("The rubric has no such level."), field="marks")
    return {str(row): level for row, level in sorted(marks.items())}


def _checked_comments(
    review: Review, attempt: Attempt, comments: Sequence[Pinned]
) -> list[Comment]:
    if len(comments) > MOST_COMMENTS:
        raise InvalidInput(
            _("At most %(most)d comments: nobody reads more.") % {"most": MOST_COMMENTS},
            field="comments",
        )
    ids = {one.id for one in comments}
    others = Comment.objects.filter(public_id__in=ids).exclude(review=review)
    if len(ids) != len(comments) or others.exists():
        raise InvalidInput(_("Two comments have the same id."), field="comments")
    length_s = films.length_s(attempt)
    return [_checked_comment(review, one, length_s) for one in comments]


def _checked_comment(review: Review, one: Pinned, length_s: float | None) -> Comment:
    field = f"comments.{one.id}"
    text = clean_lines(one.text, field, longest=LONGEST_COMMENT)
    if not (math.isfinite(one.at_s) and one.at_s >= 0):
        raise InvalidInput(_("A comment belongs to a moment of the film."), field=field)
    if length_s is not None and one.at_s > length_s + END_SLACK_S:
        raise InvalidInput(_("The film has ended before this comment."), field=field)
    at_s = one.at_s if length_s is None else min(one.at_s, length_s)
    return Comment(public_id=one.id, review=review, at_s=round(at_s, 2), text=text)


def _write_comments(review: Review, comments: Sequence[Comment]) -> None:
    review.comments.exclude(public_id__in=[one.public_id for one in comments]).delete()
    Comment.objects.bulk_create(
        comments,
        update_conflicts=True,
        unique_fields=["public_id"],
        update_fields=["at_s", "text"],
    )


def _require_reason(review: Review, verdict: str) -> None:
    if verdict == Verdict.AGAIN and not review.words and not review.comments.exists():
        raise InvalidInput(
            _("Say what to do better: in words, or as a comment at a moment of the film."),
            field="words",
        )


def _comment_of(review: Review, comment_id: UUID | None) -> Comment | None:
    if comment_id is None:
        return None
    comment = review.comments.filter(public_id=comment_id).first()
    if comment is None:
        raise InvalidInput(_("There is no such comment."), field="comment_id")
    return comment


def _same_answer(known: Answer, review: Review, author: User) -> Answer:
    if known.review_id != review.pk or known.author_id != author.pk:
        raise InvalidInput(_("Something else has this id."), field="id")
    return known


def _tell_answered(review: Review, made: Answer) -> None:
    trainee = review.attempt.enrolment.user
    reader = review.mentor if made.author_id == trainee.pk else trainee
    if reader is not None:
        outbox.publish(_answered(review, reader, made.author, made.said_at))


def _answered(review: Review, reader: User, author: User, at: datetime) -> ReviewAnswered:
    return ReviewAnswered(review.attempt.public_id, reader.public_id, author.public_id, at)
