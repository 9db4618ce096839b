"""The life of an attempt: opened, on the air, over, handed in, decided; and its film's end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict
from courses import completion
from courses.models import Certificate, Enrolment
from courses.practice import results, sandbox, words
from courses.practice.events import AttemptDecided, AttemptSubmitted
from courses.practice.models import Attempt, AttemptState, PracticeTask
from media_pipeline.models import Recording, RecordingState
from media_pipeline.services.removal import remove_recording
from sellers.models import Seller
from streams.models import Audience, Guest, Show, ShowState
from streams.services import shows

NOT_BEGUN = [AttemptState.OPEN]
GOING_ON = [AttemptState.OPEN, AttemptState.LIVE]
OPEN_FOR = timedelta(hours=12)
LEEWAY = timedelta(minutes=1)
"""The runner ends a practice in time; where there is none, the schedule does so after this."""
KEPT_UNSENT, KEPT_DECIDED = timedelta(days=14), timedelta(days=30)
MOST_ATTEMPTS = 30


def open_attempt(
    task: PracticeTask, enrolment: Enrolment, prices: Mapping[int, int] | None = None
) -> Attempt:
    """The attempt that is open, or a new one with a show of its own; `prices` by the goods' keys.

    Raises `Conflict` where there is nothing to do: it is accepted, waits for a mentor, has no
    goods, or was tried too often.
    """
    user = enrolment.user
    seller = sandbox.sandbox_of(user)
    with transaction.atomic():
        Enrolment.objects.select_for_update().get(pk=enrolment.pk)  # of two taps, one opens it
        mine = attempts_of(task, enrolment)
        if found := mine.filter(state__in=GOING_ON).first():
            return found
        _refuse_more(task, mine)
        show = shows.schedule_show(
            seller=seller,
            host=user,
            title=_("Practice: %(lesson)s") % {"lesson": task.lesson.title[:90]},
            scheduled_at=now(),
            audience=Audience.INVITED,
            offers=sandbox.stock_up(seller, user, task, prices or {}),
            is_practice=True,
        )
        language = words.spoken(user.language or get_language() or "en")
        sandbox.invite_buyers(show, language)
        number = (mine.aggregate(last=Max("number"))["last"] or 0) + 1
        return Attempt.objects.create(
            enrolment=enrolment,
            task=task,
            number=number,
            show_id=show.public_id,
            language=language,
        )


def _refuse_more(task: PracticeTask, mine: QuerySet[Attempt]) -> None:
    if mine.filter(state=AttemptState.ACCEPTED).exists():
        raise Conflict(_("A mentor has accepted your practice: there is nothing left to do."))
    if mine.filter(state=AttemptState.SUBMITTED).exists():
        raise Conflict(_("A mentor is looking at your practice. Wait for the answer first."))
    if not task.goods.exists():
        raise Conflict(_("This practice has nothing to sell yet. Tell your mentor."))
    if mine.count() >= MOST_ATTEMPTS:
        raise Conflict(_("You have tried this very often. Talk to your mentor first."))


def longest_of(show_id: UUID) -> timedelta | None:
    """How long the practice that is this show lasts."""
    found = PracticeTask.objects.filter(attempts__show_id=show_id).first()
    return timedelta(minutes=found.minutes) if found else None


def attempts_of(task: PracticeTask, enrolment: Enrolment) -> QuerySet[Attempt]:
    """All attempts at a task, the newest first."""
    return Attempt.objects.filter(task=task, enrolment=enrolment).order_by("-number")


def give_up(attempt: Attempt) -> None:
    """Close what was opened or is on; it is not handed in. Again changes nothing."""
    if attempt.state in GOING_ON:
        shows.end(attempt.show_id)
        rows = Attempt.objects.filter(pk=attempt.pk, state__in=GOING_ON)
        rows.update(state=AttemptState.ABANDONED, ended_at=now())
        attempt.refresh_from_db()


def began(show_id: UUID, at: datetime) -> None:
    """The camera is on: the buyers come."""
    rows = Attempt.objects.filter(show_id=show_id, state=AttemptState.OPEN)
    rows.update(state=AttemptState.LIVE, began_at=at)


def ended(show_id: UUID, at: datetime) -> None:
    """The show is over: what was on can be handed in, what never began is given up."""
    rows = Attempt.objects.filter(show_id=show_id)
    rows.filter(state=AttemptState.LIVE).update(state=AttemptState.ENDED, ended_at=at)
    rows.filter(state=AttemptState.OPEN).update(state=AttemptState.ABANDONED, ended_at=at)


def catch_up(attempt: Attempt) -> None:
    """Take in what became of its show, where nobody has told of it yet."""
    show = Show.objects.filter(public_id=attempt.show_id).first()
    if show is None or show.state == ShowState.ENDED:
        if show is not None and show.started_at:
            began(attempt.show_id, show.started_at)
        ended(attempt.show_id, (show and show.ended_at) or now())
        attempt.refresh_from_db()


def submit(attempt: Attempt) -> None:
    """Hand it in to the mentors; again changes nothing. Raises `Conflict` before it has ended."""
    moment = now()
    with transaction.atomic():
        ended = Attempt.objects.filter(
            pk=attempt.pk, state=AttemptState.ENDED, film_deleted_at=None
        )
        if ended.update(
            state=AttemptState.SUBMITTED, submitted_at=moment, result=_measured(attempt)
        ):
            outbox.publish(
                AttemptSubmitted(attempt.public_id, attempt.enrolment.user.public_id, moment)
            )
    attempt.refresh_from_db()
    if attempt.submitted_at is None:
        raise Conflict(_cannot_hand_in(attempt))


def _measured(attempt: Attempt) -> object:
    return msgspec.to_builtins(results.measure(attempt, currency_of(attempt)))


def currency_of(attempt: Attempt) -> str:
    return sandbox.sandbox_of(attempt.enrolment.user).currency


def _cannot_hand_in(attempt: Attempt) -> str:
    if attempt.film_deleted_at:
        return _("Its film is deleted: there is nothing that a mentor could look at.")
    if attempt.state == AttemptState.ABANDONED:
        return _("This practice was given up. Begin a new one.")
    return _("End the practice first, then hand it in.")


def decide(attempt: Attempt, accepted: bool, actor: User) -> None:
    """A mentor's verdict; whether `actor` may decide is the caller's matter.

    The same verdict again changes nothing. Raises `Conflict` for an attempt that was not handed
    in, or was decided otherwise.
    """
    verdict, moment = AttemptState.ACCEPTED if accepted else AttemptState.AGAIN, now()
    with transaction.atomic():
        waiting = Attempt.objects.filter(pk=attempt.pk, state=AttemptState.SUBMITTED)
        if waiting.update(state=verdict, decided_at=moment, decided_by=actor):
            _tell_decided(attempt, moment, accepted)
            if accepted:
                completion.settle(attempt.enrolment, attempt.task.lesson)
    attempt.refresh_from_db()
    if attempt.state != verdict:
        raise Conflict(_not_waiting(attempt))


def _tell_decided(attempt: Attempt, moment: datetime, accepted: bool) -> None:
    user = attempt.enrolment.user
    outbox.publish(AttemptDecided(attempt.public_id, user.public_id, moment, is_accepted=accepted))


def _not_waiting(attempt: Attempt) -> str:
    if attempt.is_decided:
        return _("Another mentor has decided this already.")
    return _("This practice was not handed in.")


# Classmates


def let_in(attempt: Attempt, user: User) -> Show:
    """A classmate may watch the show from now on; its show. Raises `Conflict` once it is over."""
    show = Show.objects.get(public_id=attempt.show_id)
    if attempt.state not in GOING_ON and not Guest.objects.filter(show=show, user=user).exists():
        raise Conflict(_("This practice is over. Ask for a link to the next one."))
    Guest.objects.get_or_create(show=show, user=user)
    return show


# What was filmed


def film_of(attempt: Attempt) -> Recording | None:
    return Recording.objects.filter(show_id=attempt.show_id).first()


def delete_film(attempt: Attempt) -> None:
    """The trainee does not want to be seen in it any more; again changes nothing.

    What it came to stays, and so does a yes; what waits for a mentor is taken back. Raises
    `Conflict` while it is on, or still being put together.
    """
    if attempt.state in GOING_ON:
        raise Conflict(_("End the practice first."))
    if not _remove_film(attempt):
        raise Conflict(_("What was filmed is still being put together. Try again in a moment."))
    attempt.refresh_from_db()


def _remove_film(attempt: Attempt) -> bool:
    """`False` while its recording is not complete."""
    film = film_of(attempt)
    if film is not None and film.state == RecordingState.LIVE:
        return False
    with transaction.atomic():
        rows = Attempt.objects.filter(pk=attempt.pk)
        if not attempt.result and attempt.ended_at:
            rows.update(result=_measured(attempt))
        rows.filter(film_deleted_at=None).update(film_deleted_at=now())
        rows.filter(state=AttemptState.SUBMITTED).update(state=AttemptState.ABANDONED)
    remove_recording(attempt.show_id)
    return True


def forget(user: User) -> None:
    """Somebody leaves: nobody is to see them practise any more."""
    for attempt in Attempt.objects.filter(enrolment__user=user).exclude(state__in=GOING_ON):
        _remove_film(attempt)


def look_after() -> int:
    """End what lasts too long or was never begun, and delete films nobody needs; how many."""
    return _end_late() + sum(_remove_film(attempt) for attempt in _not_needed())


def _end_late() -> int:
    moment, late = now(), []
    live = Attempt.objects.filter(state=AttemptState.LIVE).select_related("task")
    for attempt in live:
        longest = timedelta(minutes=attempt.task.minutes) + LEEWAY
        if attempt.began_at is None or attempt.began_at <= moment - longest:
            late.append(attempt.show_id)
    unused = Attempt.objects.filter(state=AttemptState.OPEN, opened_at__lte=moment - OPEN_FOR)
    late += unused.values_list("show_id", flat=True)
    return sum(shows.end(show_id) for show_id in late)


def _not_needed() -> list[Attempt]:
    """Films that were not handed in, or were decided long ago and no certificate refers to."""
    moment = now()
    there = Attempt.objects.filter(film_deleted_at=None).select_related("enrolment", "task")
    unsent = there.filter(
        state__in=[AttemptState.ENDED, AttemptState.ABANDONED],
        ended_at__lte=moment - KEPT_UNSENT,
    )
    decided = there.filter(
        state__in=[AttemptState.AGAIN, AttemptState.ACCEPTED],
        decided_at__lte=moment - KEPT_DECIDED,
    )
    certified = Certificate.objects.values("enrolment")
    waiting = Attempt.objects.filter(state=AttemptState.SUBMITTED).values("enrolment")
    kept = decided.exclude(enrolment__in=waiting)  # a mentor may want to look at the one before
    return [*unsent, *kept.exclude(state=AttemptState.ACCEPTED, enrolment__in=certified)]


def seller_of(attempt: Attempt) -> Seller:
    return sandbox.sandbox_of(attempt.enrolment.user)
