"""Jobs as people see them: what each is for, how far it is, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.accounts.access import AnyUser, has_role, signed_in
from core.accounts.models import Role
from core.clock import now
from core.errors import NotFound
from media_pipeline import control, jobs
from media_pipeline.models import Asset, Job, JobState, Upload
from media_pipeline.reasons import read_now
from media_pipeline.services.archiving import ARCHIVE_RECORDING
from sellers.access import KEEPERS, sellers_of
from streams.models import Show
from streams.studio.access import shows_of

SHOWN = 50
ENDED_SHOWN = 20
HOUSEKEEPING = (ARCHIVE_RECORDING,)
"""Nobody but an operator has to know of it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a job is for, and where that is looked at; no `url` where there is no page of it."""

    title: str
    url: str
    seller: str


@dataclass(frozen=True, slots=True)
class JobCard:
    job: Job
    kind: str
    subject: Subject
    percent: int
    left: str
    reason: str
    advice: str
    may_cancel: bool
    may_retry: bool

    @property
    def is_dead(self) -> bool:
        return self.job.state == JobState.FAILED


@dataclass(frozen=True, slots=True)
class JobGroups:
    """`failed` wait for somebody, `open` wait or run, `ended` are the newest that are over."""

    failed: list[JobCard]
    open: list[JobCard]
    ended: list[JobCard]

    @property
    def is_empty(self) -> bool:
        return not (self.failed or self.open or self.ended)


def jobs_seen_by(user: AnyUser, *, everything: bool = False) -> QuerySet[Job]:
    """The jobs of the user's own shows and films; with `everything`, for operators only, those of
    all, without the rehearsals'.

    Raises `SignInRequired` or, for `everything`, `NotFound`.
    """
    person = signed_in(user)
    # Withdrawn ones are no trouble of anybody's: nobody wants what they would make.
    known = Job.objects.exclude(state=JobState.FAILED, error="").select_related("cancelled_by")
    known = known.filter(parent=None)  # a job tells how far its parts are, and why one failed
    if everything:
        if not has_role(person, Role.OPERATOR):
            raise NotFound(_("There is nothing here, or it is not yours."))
        unreal = Show.objects.filter(Q(is_rehearsal=True) | Q(is_practice=True))
        return known.exclude(show_id__in=unreal.values("public_id"))
    shows = Q(show_id__in=shows_of(person).values("public_id"))
    films = Upload.objects.filter(seller__in=sellers_of(person, *KEEPERS))
    # What somebody began for a shop is the shop's: it goes on without whoever is removed from it.
    own = Q(owner=person, show_id=None)
    mine = shows | Q(show_id__in=films.values("show_id")) | own
    return known.filter(mine).exclude(kind__in=HOUSEKEEPING)


def job_to_change(user: AnyUser, job_id: UUID) -> Job:
    """Raises `SignInRequired`, or `NotFound`: strangers do not learn that there is one."""
    everything = has_role(user, Role.OPERATOR)
    job = jobs_seen_by(user, everything=everything).filter(public_id=job_id).first()
    if job is None:
        raise NotFound(_("There is no such job."))
    return job


def grouped(found: QuerySet[Job]) -> JobGroups:
    failed = found.filter(state=JobState.FAILED).order_by("-finished_at")
    waiting = found.filter(state=JobState.QUEUED).order_by("priority", "id")
    running = found.filter(state=JobState.RUNNING).order_by("started_at")
    ended = found.filter(state__in=[JobState.DONE, JobState.CANCELLED]).order_by("-finished_at")
    return JobGroups(
        failed=cards(failed[:SHOWN]),
        open=cards([*running[:SHOWN], *waiting[:SHOWN]]),
        ended=cards(ended[:ENDED_SHOWN]),
    )


def cards(found: Sequence[Job] | QuerySet[Job]) -> list[JobCard]:
    rows = list(found)
    subjects = subjects_of(rows)
    moment = now()
    return [_card(job, subjects[job.pk], moment) for job in rows]


def _card(job: Job, subject: Subject, moment: datetime) -> JobCard:
    return JobCard(
        job=job,
        kind=control.kind_words(job),
        subject=subject,
        percent=int(job.progress * 100),
        left=_left(job, moment),
        reason=read_now(job.error),
        advice=control.advice(job) if job.state == JobState.FAILED else "",
        may_cancel=control.may_cancel(job),
        may_retry=control.may_retry(job),
    )


def _left(job: Job, moment: datetime) -> str:
    if jobs.is_silent(job, moment):
        return _("Its worker does not answer. Another one goes on with it in half a minute.")
    left_s = jobs.remaining_s(job, moment)
    return "" if left_s is None else left_words(left_s)


def left_words(left_s: float) -> str:
    """ "about 40 seconds left", in tens of seconds, minutes, or hours."""
    if left_s < 10:
        return _("a few seconds left")
    if left_s < 90:
        seconds = round(left_s / 10) * 10
        return ngettext("about %(count)d second left", "about %(count)d seconds left", seconds) % {
            "count": seconds
        }
    minutes = round(left_s / 60)
    if minutes < 90:
        return ngettext("about %(count)d minute left", "about %(count)d minutes left", minutes) % {
            "count": minutes
        }
    hours = round(left_s / 3600)
    return ngettext("about %(count)d hour left", "about %(count)d hours left", hours) % {
        "count": hours
    }


def subjects_of(rows: Sequence[Job]) -> dict[int, Subject]:
    """By the jobs' primary keys, in three queries for any number of them."""
    show_ids = {job.show_id for job in rows if job.show_id}
    shows = {
        show.public_id: show
        for show in Show.objects.filter(public_id__in=show_ids).select_related("seller")
    }
    films = {
        film.show_id: film
        for film in Upload.objects.filter(show_id__in=show_ids).select_related("seller")
    }
    clips = dict(
        Asset.objects.filter(public_id__in=[job.subject_id for job in rows])
        .exclude(title="")
        .values_list("public_id", "title")
    )
    return {job.pk: _subject(job, shows, films, clips) for job in rows}


def _subject(job: Job, shows: Any, films: Any, clips: dict[UUID, str]) -> Subject:
    show: Show | None = shows.get(job.show_id)
    film: Upload | None = films.get(job.show_id)
    if show is not None:
        clip = clips.get(job.subject_id)
        title = f"{clip} · {show.title}" if clip else show.title
        return Subject(title, reverse("studio_show", args=[show.public_id]), show.seller.name)
    if film is not None:
        return Subject(film.title, reverse("studio_films"), film.seller.name)
    return Subject(_("something that was deleted"), "", "")
