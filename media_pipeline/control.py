"""What people do with jobs, and what they are told about them. Whoever calls decides who may."""

from __future__ import annotations

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from core.accounts.models import User
from core.errors import Conflict
from media_pipeline import jobs
from media_pipeline.captions.tracks import TRANSCRIBE
from media_pipeline.long_films import ENCODE_CHUNK
from media_pipeline.models import Job, JobFault, JobState
from media_pipeline.pauses import FIND_PAUSES
from media_pipeline.services.archiving import ARCHIVE_RECORDING
from media_pipeline.services.clip_copies import MAKE_COPY
from media_pipeline.services.clips import MAKE_CLIP, MAKE_LIGHT
from media_pipeline.services.recordings import PROCESS_RECORDING
from media_pipeline.services.settling import SETTLE_RECORDING
from media_pipeline.services.uploads import IMPORT_UPLOAD
from media_pipeline.tasks import TASKS

KINDS: dict[str, Promise] = {
    PROCESS_RECORDING: gettext_lazy("Better replay"),
    MAKE_CLIP: gettext_lazy("Lesson video"),
    MAKE_COPY: gettext_lazy("Lesson to take away"),
    MAKE_LIGHT: gettext_lazy("Lesson for weak networks"),
    IMPORT_UPLOAD: gettext_lazy("Film from the gallery"),
    ARCHIVE_RECORDING: gettext_lazy("Move to the storage"),
    SETTLE_RECORDING: gettext_lazy("Change of the recording"),
    FIND_PAUSES: gettext_lazy("Pauses in the talk"),
    ENCODE_CHUNK: gettext_lazy("Part of a long film"),
    TRANSCRIBE: gettext_lazy("Captions of what is said"),
}
ADVICE: dict[str, Promise] = {
    JobFault.SOURCE: gettext_lazy(
        "The film itself is the trouble: trying again will not help. Bring another copy of it."
    ),
    JobFault.MISSING: gettext_lazy(
        "Files that it needs are gone. Whoever runs this site can look for them in the backup."
    ),
    JobFault.STORAGE: gettext_lazy(
        "Nothing of yours is lost. Try again once the storage answers; whoever runs this site"
        " knows when."
    ),
    JobFault.DATABASE: gettext_lazy("Nothing of yours is lost. Try again."),
    JobFault.CRASH: gettext_lazy(
        "Try once more when less is going on. If it stops again, tell whoever runs this site."
    ),
}
OTHERWISE = gettext_lazy("Try again. If it happens again, tell whoever runs this site.")


def kind_words(job: Job) -> str:
    """What is being made, e.g. "Lesson video"; the plain kind of one that is not known here."""
    return str(KINDS.get(job.kind, job.kind))


def advice(job: Job) -> str:
    """What somebody can do about a job that was given up."""
    return str(ADVICE.get(job.fault, OTHERWISE))


def may_cancel(job: Job) -> bool:
    task = TASKS.get(job.kind)
    return job.state in jobs.OPEN and task is not None and task.may_cancel


def may_retry(job: Job) -> bool:
    """Whether it is worth a try; a film that cannot be read will not be another one later."""
    hopeless = {JobFault.SOURCE, JobFault.MISSING}
    return job.state in jobs.OVER and job.kind in TASKS and job.fault not in hopeless


def cancel(job: Job, by: User | None) -> None:
    """Stop it, within two seconds if it runs; raises `Conflict` if that cannot be any more."""
    if not may_cancel(job):
        raise Conflict(_no_cancel(job))
    with transaction.atomic():
        if not jobs.cancel(job, by):
            raise Conflict(_("It has come to its end already."))
        TASKS[job.kind].given_up(job.subject_id, gettext_noop("It was cancelled."))


def _no_cancel(job: Job) -> str:
    if job.state in jobs.OPEN:
        return _("This one cannot be cancelled: somebody was promised that it is done.")
    return _("It has come to its end already.")


def retry(job: Job) -> None:
    """Let a job that failed or was cancelled begin anew; raises `Conflict` if that is no use."""
    if not may_retry(job):
        raise Conflict(
            advice(job) if job.state == JobState.FAILED else _("It is under way, or done.")
        )
    with transaction.atomic():
        TASKS[job.kind].again(job.subject_id)
        if not jobs.retry(job):
            raise Conflict(_("It is under way, or done."))
