"""What reviews' pages show: who waits, how long that takes, and a review with all that was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import F, Max, Min, Q, QuerySet
from django.utils import timezone

from core.accounts.access import AnyUser, is_signed_in
from core.accounts.models import User
from core.clock import now
from courses.practice.models import Attempt, AttemptState
from courses.reviews import access
from courses.reviews.models import Answer, Comment, Review, ReviewState
from courses.reviews.services import IDLE

WEEKS = 8
SHOWN_DONE = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits for a mentor; `review` is there once one has begun."""

    attempt: Attempt
    review: Review | None
    waits_s: float
    is_mine: bool

    @property
    def mentor(self) -> User | None:
        return self.review.mentor if self.review else None

    @property
    def is_free(self) -> bool:
        """Nobody is at it, or who was has not written for a while."""
        if self.mentor is None or self.review is None:
            return True
        return self.is_mine or self.review.changed_at < now() - IDLE


@dataclass(frozen=True, slots=True)
class Week:
    """How long people waited whose first review was sent in that week; `None` where none was."""

    begins: datetime
    median_s: float | None
    count: int
    share: float
    """Of the longest week's, for a chart."""


@dataclass(frozen=True, slots=True)
class FirstReviews:
    """From handing in the first attempt at a task to its review: the last eight weeks."""

    median_s: float | None
    count: int
    weeks: list[Week]


def queue(user: AnyUser) -> list[Waiting]:
    """Who waits for this user's review; the longest first."""
    rows = access.reviewable(user).filter(state=AttemptState.SUBMITTED)
    return [waiting(row, user) for row in rows.order_by("submitted_at", "pk")]


def waiting_count(user: AnyUser) -> int:
    return access.reviewable(user).filter(state=AttemptState.SUBMITTED).count()


def waiting(attempt: Attempt, user: AnyUser) -> Waiting:
    review = review_of(attempt)
    is_mine = review is not None and is_signed_in(user) and review.mentor_id == user.pk
    return Waiting(attempt, review, waited_s(attempt), is_mine)


def review_of(attempt: Attempt) -> Review | None:
    found: Review | None = getattr(attempt, "review", None)
    return found


def waited_s(attempt: Attempt) -> float:
    """From handing in to the verdict, or to now."""
    assert attempt.submitted_at is not None  # noqa: S101 - so says access
    return ((attempt.decided_at or now()) - attempt.submitted_at).total_seconds()


def done_by(user: AnyUser) -> QuerySet[Review]:
    """What this user has sent, the newest first."""
    if not is_signed_in(user):
        return Review.objects.none()
    rows = Review.objects.filter(mentor=user, state=ReviewState.SENT)
    return rows.select_related("attempt__enrolment__user", "attempt__task__lesson")[:SHOWN_DONE]


def unread_by_mentor(user: User) -> QuerySet[Review]:
    """Reviews that this user sent, and that were answered since they looked."""
    rows = Review.objects.filter(mentor=user, state=ReviewState.SENT)
    said = rows.annotate(said=Max("answers__said_at", filter=~Q(answers__author=user)))
    unread = said.filter(said__gt=F("mentor_read_at"))
    return unread.select_related("attempt__enrolment__user", "attempt__task__lesson")


def unread_by_trainee(user: AnyUser) -> QuerySet[Review]:
    """Reviews of this user's attempts that they have not opened since something was said."""
    if not is_signed_in(user):
        return Review.objects.none()
    mine = Review.objects.filter(attempt__enrolment__user=user, state=ReviewState.SENT)
    said = mine.annotate(said=Max("answers__said_at", filter=~Q(answers__author=user)))
    unread = said.filter(Q(trainee_read_at=None) | Q(said__gt=F("trainee_read_at")))
    return unread.select_related("attempt__task__lesson")


def first_reviews() -> FirstReviews:
    """Of the whole site: a trainee is not told who of the mentors is slow."""
    moment = now()
    this_week = _monday(moment)
    since = this_week - timedelta(weeks=WEEKS - 1)
    rows = (
        Attempt.objects.filter(submitted_at__isnull=False)
        .values("enrolment", "task")
        .annotate(handed_in=Min("submitted_at"), sent=Min("review__sent_at"))
        .filter(sent__gte=since)
        .values_list("handed_in", "sent")
    )
    waits = [(sent, (sent - handed_in).total_seconds()) for handed_in, sent in rows]
    begins = [since + timedelta(weeks=number) for number in range(WEEKS)]
    by_week = {week: [s for at, s in waits if _monday(at) == week] for week in begins}
    return FirstReviews(_median([s for _at, s in waits]), len(waits), _weeks(by_week))


def _weeks(by_week: Mapping[datetime, Sequence[float]]) -> list[Week]:
    medians = {week: _median(found) for week, found in by_week.items()}
    longest = max((one for one in medians.values() if one), default=1.0)
    return [
        Week(week, medians[week], len(found), (medians[week] or 0.0) / longest)
        for week, found in by_week.items()
    ]


def _median(waits: Sequence[float]) -> float | None:
    return median(waits) if waits else None


def _monday(at: datetime) -> datetime:
    local = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return local - timedelta(days=local.weekday())


@dataclass(frozen=True, slots=True)
class Said:
    """A comment with what was answered to it."""

    comment: Comment
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Marked:
    """A row of the rubric with its mark; `level` is `None` where none was given."""

    number: int
    title: str
    about: str
    levels: list[str]
    level: int | None

    @property
    def said(self) -> str:
        return "" if self.level is None else self.levels[self.level]

    @property
    def place(self) -> int:
        """1 for the weakest level, 0 without a mark."""
        return 0 if self.level is None else self.level + 1


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review as it is read."""

    review: Review
    rows: list[Marked]
    comments: list[Said]
    answers: list[Answer]
    """To the review as a whole."""


def review_view(review: Review) -> ReviewView:
    answers = list(review.answers.select_related("author"))
    comments = [
        Said(one, [answer for answer in answers if answer.comment_id == one.pk])
        for one in review.comments.all()
    ]
    overall = [answer for answer in answers if answer.comment_id is None]
    return ReviewView(review, list(_marked(review)), comments, overall)


def _marked(review: Review) -> Iterable[Marked]:
    for number, row in enumerate(review.rows):
        yield Marked(number, level=review.marks.get(str(number)), **row)
