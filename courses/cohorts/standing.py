"""Where a class is: who has done how much, who falls behind, and on what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.accounts.models import User
from core.clock import now
from courses import intervals, selectors
from courses.cohorts.models import Cohort, Place
from courses.models import Edition, EditionLesson, Enrolment, Lesson, Progress
from courses.practice.models import Attempt, AttemptState, Good
from courses.quizzes.models import Quiz, Try

QUIET_AFTER = timedelta(days=7)
STATES = {
    "behind": gettext_lazy("behind"),
    "quiet": gettext_lazy("quiet for a week"),
    "new": gettext_lazy("not begun"),
    "on_way": gettext_lazy("on the way"),
    "done": gettext_lazy("done"),
}
"""In the order in which somebody should look at them."""
MOST_DAYS = 120


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the class. `stuck` is the lesson that is next for them, `why` what it lacks."""

    place: Place
    user: User
    done: int
    total: int
    state: str
    last_at: datetime | None
    stuck: Lesson | None
    why: str

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.total) if self.total else 0

    @property
    def state_name(self) -> str:
        return str(STATES[self.state])


@dataclass(frozen=True, slots=True)
class LessonBar:
    """A lesson: how many have done it, begun it, and are held up by it (it is their next one)."""

    lesson: Lesson
    title: str
    done: int
    begun: int
    held_up: int
    people: int

    def _width(self, count: int) -> float:
        return round(100 * count / self.people, 1) if self.people else 0.0

    @property
    def done_width(self) -> float:
        return self._width(self.done)

    @property
    def begun_width(self) -> float:
        return self._width(self.begun)


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of the bar of states, in percent from the left."""

    state: str
    name: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Lessons done per person over the days, as points of a drawing of 100 by 100; and the pace."""

    done: str
    expected: str
    since: date
    until: date
    most: int


@dataclass(slots=True)
class Standing:
    people: list[Person]
    lessons: list[LessonBar]
    shares: list[Share]
    expected: int | None
    curve: Curve | None

    @property
    def total(self) -> int:
        return len(self.lessons)

    @property
    def mean_percent(self) -> int:
        return sum(one.percent for one in self.people) // len(self.people) if self.people else 0

    @property
    def to_look_at(self) -> list[Person]:
        return [one for one in self.people if one.state in ("behind", "quiet")]


@dataclass(slots=True)
class _Facts:
    """What is known of everybody, in as many queries for a class of 300 as for one of 3."""

    entries: dict[int, list[EditionLesson]]
    newest: Edition | None
    enrolments: dict[int, Enrolment]
    progress: dict[tuple[int, int], Progress] = field(default_factory=dict)
    tries: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    tried_at: dict[int, datetime] = field(default_factory=dict)
    attempts: dict[tuple[int, int], set[str]] = field(default_factory=dict)
    quizzes: set[int] = field(default_factory=set)
    tasks: set[int] = field(default_factory=set)


def standing_of(cohort: Cohort, *, moment: datetime | None = None) -> Standing:
    moment = moment or now()
    places = list(cohort.places.filter(left_at=None).select_related("user"))
    facts = _facts(cohort, [one.user_id for one in places])
    lessons = facts.entries.get(facts.newest.pk, []) if facts.newest else []
    today = timezone.localtime(moment).date()
    expected = expected_lessons(cohort, len(lessons), today)
    people = [_person(place, facts, expected, moment) for place in places]
    order = list(STATES)
    people.sort(key=lambda one: (order.index(one.state), one.done, one.user.shown_name))
    return Standing(
        people=people,
        lessons=_bars(lessons, people, facts),
        shares=_shares(people),
        expected=expected,
        curve=_curve(cohort, len(people), len(lessons), facts.progress.values(), today),
    )


def expected_lessons(cohort: Cohort, total: int, today: date) -> int | None:
    """How many lessons everybody should have done by the end of yesterday; `None`: at any pace.

    By the weekly pace where there is one, else evenly until the end; after the end it is all.
    """
    begins = cohort.begins_on or timezone.localtime(cohort.created_at).date()
    passed = (today - begins).days
    if cohort.ends_on and today > cohort.ends_on:
        return total
    if cohort.weekly_lessons:
        return max(0, min(total, passed * cohort.weekly_lessons // 7))
    if cohort.ends_on:
        days = (cohort.ends_on - begins).days + 1
        return max(0, min(total, total * passed // days)) if days > 0 else total
    return None


def _facts(cohort: Cohort, user_ids: Sequence[int]) -> _Facts:
    enrolments = {
        one.user_id: one
        for one in Enrolment.objects.filter(course=cohort.course, user__in=user_ids)
    }
    published = Edition.objects.filter(course=cohort.course, state="published")
    newest = published.order_by("-number").first()
    editions = {one.edition_id for one in enrolments.values()} | ({newest.pk} if newest else set())
    facts = _Facts(
        selectors.entries_of(Edition.objects.filter(pk__in=editions)), newest, enrolments
    )
    keys = [one.pk for one in enrolments.values()]
    for progress in Progress.objects.filter(enrolment__in=keys):
        facts.progress[progress.enrolment_id, progress.lesson_id] = progress
    _read_tries(facts, keys)
    lessons = {one.lesson_id for entries in facts.entries.values() for one in entries}
    quizzes = Quiz.objects.filter(lesson__in=lessons, is_open=True)
    facts.quizzes = set(quizzes.values_list("lesson", flat=True))
    facts.tasks = set(
        Good.objects.filter(task__lesson__in=lessons).values_list("task__lesson", flat=True)
    )
    attempts = Attempt.objects.filter(enrolment__in=keys).exclude(state=AttemptState.ABANDONED)
    for enrolment, lesson, state in attempts.values_list("enrolment", "task__lesson", "state"):
        facts.attempts.setdefault((enrolment, lesson), set()).add(state)
    return facts


def _read_tries(facts: _Facts, enrolments: Sequence[int]) -> None:
    rows = (
        Try.objects.filter(enrolment__in=enrolments)
        .order_by()
        .values_list("enrolment", "paper__quiz__lesson")
        .annotate(
            count=Count("pk"),
            passed=Count("pk", filter=Q(is_passed=True, is_late=False)),
            last=Max("handed_in_at"),
        )
    )
    for enrolment, lesson, count, passed, last in rows:
        facts.tries[enrolment, lesson] = (count, passed)
        facts.tried_at[enrolment] = max(last, facts.tried_at.get(enrolment, last))


def _person(place: Place, facts: _Facts, expected: int | None, moment: datetime) -> Person:
    enrolment = facts.enrolments.get(place.user_id)
    entries = facts.entries.get(enrolment.edition_id, []) if enrolment else []
    counted = [one for one in entries if not one.lesson.is_taken_back]
    done = [one for one in counted if enrolment and _is_done(facts, enrolment, one.lesson)]
    stuck = next((one for one in counted if one not in done and one.lesson.is_ready), None)
    last_at = _last_at(facts, enrolment)
    is_over = enrolment is not None and enrolment.completed_at is not None
    state = _state(
        is_done=is_over or (bool(counted) and len(done) == len(counted)),
        done=len(done),
        expected=None if expected is None else min(expected, len(counted)),
        last_at=last_at,
        joined_at=place.joined_at,
        moment=moment,
    )
    return Person(
        place=place,
        user=place.user,
        done=len(done),
        total=len(counted),
        state=state,
        last_at=last_at,
        stuck=stuck.lesson if stuck and state != "done" else None,
        why=_why(facts, enrolment, stuck.lesson) if enrolment and stuck else "",
    )


def _state(
    *,
    is_done: bool,
    done: int,
    expected: int | None,
    last_at: datetime | None,
    joined_at: datetime,
    moment: datetime,
) -> str:
    if is_done:
        return "done"
    if expected is not None and done < expected:
        return "behind"
    if moment - (last_at or joined_at) >= QUIET_AFTER:
        return "quiet"
    return "new" if last_at is None else "on_way"


def _is_done(facts: _Facts, enrolment: Enrolment, lesson: Lesson) -> bool:
    progress = facts.progress.get((enrolment.pk, lesson.pk))
    return progress is not None and progress.completed_at is not None


def _last_at(facts: _Facts, enrolment: Enrolment | None) -> datetime | None:
    if enrolment is None:
        return None
    moments = [one.updated_at for (who, _l), one in facts.progress.items() if who == enrolment.pk]
    if enrolment.pk in facts.tried_at:
        moments.append(facts.tried_at[enrolment.pk])
    return max(moments, default=None)


def _why(facts: _Facts, enrolment: Enrolment, lesson: Lesson) -> str:
    """What somebody's next lesson lacks, in a few words for their facilitator."""
    key = (enrolment.pk, lesson.pk)
    progress = facts.progress.get(key)
    count, passed = facts.tries.get(key, (0, 0))
    states = facts.attempts.get(key, set())
    if lesson.pk in facts.quizzes and count and not passed:
        text = ngettext(
            "quiz not passed in %(count)d try", "quiz not passed in %(count)d tries", count
        )
        return text % {"count": count}
    covered = intervals.covered_s(progress.intervals) if progress else 0.0
    if covered < round(lesson.required_s, 3):
        if not covered:
            return _("not watched yet")
        percent = min(99, int(100 * covered / lesson.required_s))
        return _("%(percent)d %% watched") % {"percent": percent}
    if lesson.pk in facts.quizzes and not passed:
        return _("quiz not tried yet")
    if lesson.pk in facts.tasks and AttemptState.ACCEPTED not in states:
        waits = AttemptState.SUBMITTED in states
        return _("practice waits for a mentor") if waits else _("practice not accepted yet")
    return ""


def _bars(
    entries: Sequence[EditionLesson], people: Sequence[Person], facts: _Facts
) -> list[LessonBar]:
    enrolled = {
        facts.enrolments[one.user.pk].pk for one in people if one.user.pk in facts.enrolments
    }
    done: dict[int, int] = defaultdict(int)
    begun: dict[int, int] = defaultdict(int)
    for (enrolment, lesson), progress in facts.progress.items():
        if enrolment in enrolled:
            done[lesson] += progress.completed_at is not None
            begun[lesson] += progress.completed_at is None and bool(progress.intervals)
    held_up: dict[int, int] = defaultdict(int)
    for one in people:
        if one.stuck and one.state in ("behind", "quiet"):
            held_up[one.stuck.pk] += 1
    return [
        LessonBar(
            lesson=one.lesson,
            title=one.title,
            done=done[one.lesson_id],
            begun=begun[one.lesson_id],
            held_up=held_up[one.lesson_id],
            people=len(people),
        )
        for one in entries
    ]


def _shares(people: Sequence[Person]) -> list[Share]:
    found: list[Share] = []
    x = 0.0
    for state, name in STATES.items():
        count = sum(one.state == state for one in people)
        if count:
            width = 100 * count / len(people)
            found.append(Share(state, str(name), count, round(x, 2), round(width, 2)))
            x += width
    return found


def _curve(
    cohort: Cohort, people: int, total: int, progress: Iterable[Progress], today: date
) -> Curve | None:
    begins = cohort.begins_on or timezone.localtime(cohort.created_at).date()
    since = max(begins, today - timedelta(days=MOST_DAYS))
    days = (today - since).days
    if not people or not total or days < 1:
        return None
    per_day = _done_by_day(progress)
    done = [
        sum(count for day, count in per_day.items() if day <= since + timedelta(days=n)) / people
        for n in range(days + 1)
    ]
    expected = [expected_lessons(cohort, total, since + timedelta(days=n)) for n in range(days + 1)]
    asked = [one for one in expected if one is not None]
    return Curve(
        done=_points(done, total), expected=_points(asked, total), since=since, until=today,
        most=total,
    )  # fmt: skip


def _done_by_day(progress: Iterable[Progress]) -> Mapping[date, int]:
    found: dict[date, int] = defaultdict(int)
    for one in progress:
        if one.completed_at is not None:
            found[timezone.localtime(one.completed_at).date()] += 1
    return found


def _points(values: Sequence[float], most: int) -> str:
    if len(values) < 2:
        return ""
    step = 100 / (len(values) - 1)
    return " ".join(f"{n * step:.1f},{100 - 100 * one / most:.1f}" for n, one in enumerate(values))
