"""What `livecommerce jobs` does: the jobs of this instance in a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from django.utils.timezone import localtime
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from core.errors import Conflict
from media_pipeline import control, jobs
from media_pipeline.models import Job, JobState
from streams.jobs.selectors import JobCard, cards

LOOK_EVERY_S = 0.5
TROUBLES = (*jobs.OPEN, JobState.FAILED)
COLOURS = {
    JobState.RUNNING: "green",
    JobState.DONE: "dim",
    JobState.FAILED: "red",
    JobState.CANCELLED: "yellow",
}


class NoSuchJob(LookupError):
    """There is no job of this number."""


def found(number: int) -> Job:
    """Raises `NoSuchJob`."""
    job = Job.objects.filter(pk=number).select_related("owner", "cancelled_by").first()
    if job is None:
        raise NoSuchJob(
            f"There is no job {number}. `livecommerce jobs list --all` has all of them."
        )
    return job


def list_jobs(everything: bool, most: int) -> None:
    """A table of the newest jobs, without those that ended well unless it is of `everything`."""
    whole = Job.objects.filter(parent=None, state__in=TROUBLES)
    wanted = Job.objects.all() if everything else whole
    newest = list(wanted.order_by("-pk")[:most])
    console = Console()
    if not newest:
        console.print("No job." if everything else "No job is waiting, running or failed.")
        return
    table = Table("No.", "State", "What", "For", "Progress", "Tries", box=None, pad_edge=False)
    for card in cards(newest):
        table.add_row(*_row(card))
    console.print(table)


def _row(card: JobCard) -> list[str]:
    job = card.job
    colour = COLOURS.get(JobState(job.state), "default")
    is_running = job.state == JobState.RUNNING
    progress = f"{card.percent} % {card.left}".strip() if is_running else job.error
    state = f"[{colour}]{job.state}[/]"
    return [str(job.pk), state, card.kind, card.subject.title, progress, str(job.attempts)]


def show_job(number: int) -> None:
    """Everything that is known of a job. Raises `NoSuchJob`."""
    job = found(number)
    [card] = cards([job])
    said = {
        "what": f"{card.kind} ({job.kind})",
        "for": f"{card.subject.title}  {card.subject.seller}",
        "id": str(job.public_id),
        "state": job.state,
        "progress": f"{card.percent} %  {card.left}",
        "attempts": f"{job.attempts} of {jobs.MAX_ATTEMPTS}, epoch {job.lease_epoch}",
        "worker": job.worker,
        "priority": str(job.priority),
        "asked for": str(job.owner.shown_name if job.owner else ""),
        "cancelled by": str(job.cancelled_by.shown_name if job.cancelled_by else ""),
        "reason": job.error,
        "what to do": card.advice,
    }
    moments = ("created_at", "started_at", "leased_until", "run_after", "finished_at")
    for name in moments:
        if moment := getattr(job, name):
            said[name.replace("_", " ")] = f"{localtime(moment):%Y-%m-%d %H:%M:%S}"
    table = Table.grid(padding=(0, 2))
    for name, value in said.items():
        if value.strip():
            table.add_row(f"[dim]{name}[/]", value)
    Console().print(table)


def cancel(number: int) -> str:
    """What was done. Raises `NoSuchJob` and `Conflict`."""
    control.cancel(found(number), None)
    return f"Job {number} is cancelled. Start it after all: livecommerce jobs retry {number}"


def retry(number: int) -> str:
    """What was done. Raises `NoSuchJob` and `Conflict`."""
    control.retry(found(number))
    return f"Job {number} waits for a worker. Look on: livecommerce jobs watch {number}"


def watch(numbers: Sequence[int]) -> bool:
    """Bars of what is under way, until these are over; without numbers, until it is stopped.

    Whether all of them were done. Raises `NoSuchJob`.
    """
    for number in numbers:
        found(number)
    columns = ("{task.fields[number]:>5}", "{task.description}")
    bar = Progress(
        *(TextColumn(column) for column in columns),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[says]}"),
    )
    with bar:
        return _look(bar, numbers, time.sleep)


def _look(bar: Progress, numbers: Sequence[int], pause: Callable[[float], None]) -> bool:
    tasks: dict[int, TaskID] = {}
    while True:
        whole = Job.objects.filter(parent=None, state__in=jobs.OPEN)
        open_ones = list(whole.values_list("pk", flat=True))
        wanted = numbers or {*open_ones, *tasks}
        shown = cards(Job.objects.filter(pk__in=wanted).order_by("priority", "pk"))
        for card in shown:
            if card.job.pk not in tasks:
                name = f"{card.kind}: {card.subject.title}"
                tasks[card.job.pk] = bar.add_task(name, total=1, number=card.job.pk, says="")
            bar.update(tasks[card.job.pk], completed=card.job.progress, says=_says(card))
        bar.refresh()
        if numbers and not any(card.job.state in jobs.OPEN for card in shown):
            return all(card.job.state == JobState.DONE for card in shown)
        pause(LOOK_EVERY_S)


def _says(card: JobCard) -> str:
    if card.job.state == JobState.RUNNING:
        return card.left
    return f"{card.job.state} {card.job.error}".strip()


REFUSALS = (NoSuchJob, Conflict)
