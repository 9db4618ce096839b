"""Changes of a finished recording's files: who may see them, and what is taken out of them.

Each change is one transaction that says what is to be, and then files that follow. Whoever asks
carries it out at once; should that fail in the middle, a job does the rest. One change at a time.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, InvalidInput, NotFound
from media_pipeline import jobs
from media_pipeline.jobs import Lease
from media_pipeline.models import Job, JobState, Passage, Recording, RecordingState
from media_pipeline.services import archiving, passages, publicity
from media_pipeline.services.archiving import SETTLE_RECORDING as SETTLE_RECORDING
from media_pipeline.services.editions import RecordingChanged
from media_pipeline.storage import storage


def remove_passage(
    *,
    passage_id: uuid.UUID,
    recording_id: uuid.UUID,
    edition: int,
    start_s: float,
    end_s: float,
    whole: bool = False,
    actor: User,
) -> Passage:
    """Take out what was filmed from `start_s` to `end_s` (seconds of `edition`), for good.

    The same `passage_id` again removes nothing more. Only with `whole` may nothing be left.
    Whoever calls decides who may. Raises `NotFound`, `InvalidInput` for times outside of the
    recording or the id of another passage, `RecordingChanged` for an edition that is over, and
    `Conflict` while the recording is not complete or an earlier change is being carried out.
    """
    with transaction.atomic():
        recording = _locked(recording_id)
        if known := Passage.objects.filter(public_id=passage_id).first():
            return _same(known, recording, start_s, end_s)
        _require_settled(recording)
        _require_carried_out(recording)
        _end_edition(recording, edition)
        passages.check_times(recording, start_s, end_s)
        passage = passages.write_down(
            recording, passage_id, start_s, end_s, whole=whole, actor=actor
        )
        job = jobs.restart(SETTLE_RECORDING, recording.public_id, priority=jobs.Priority.SHOW)
    _settle_now(job)
    passage.refresh_from_db()
    return passage


def set_public(show_id: uuid.UUID, *, is_public: bool) -> None:
    """Serve a show's files to everybody, or only by signed addresses; call it in a transaction.

    The old public addresses are dead when that commits. Raises `Conflict` as `remove_passage`.
    """
    recording = Recording.objects.filter(show_id=show_id).first()
    if recording is None or recording.is_public == is_public:
        return
    recording = _locked(recording.public_id)
    _require_settled(recording)
    if is_public:  # to hide it is never too early
        _require_carried_out(recording)
    publicity.change_rows(recording, is_public=is_public)
    job = jobs.restart(SETTLE_RECORDING, recording.public_id, priority=jobs.Priority.SHOW)
    transaction.on_commit(lambda: _settle_now(job))


def _locked(recording_id: uuid.UUID) -> Recording:
    locked = Recording.objects.select_for_update().filter(public_id=recording_id).first()
    if locked is None:
        raise NotFound(_("There is no such recording."))
    return locked


def _require_settled(recording: Recording) -> None:
    if recording.state == RecordingState.LIVE:
        raise Conflict(_("The recording is not complete yet. End the show first."))
    if jobs.is_open(SETTLE_RECORDING, recording.public_id):
        raise Conflict(_("The last change is still being carried out. Try again in a moment."))


def _require_carried_out(recording: Recording) -> None:
    """Files that still hold what was removed are no base for another removal, nor for everybody."""
    job = jobs.job_of(SETTLE_RECORDING, recording.public_id)
    if job is not None and job.state == JobState.FAILED:
        raise Conflict(
            _(
                "The last change could not be carried out completely yet, so that nothing else can"
                " be changed. The server tries again every few minutes."
            )
        )


def try_again() -> int:
    """Have a worker carry out the changes that failed, however often that was; how many.

    A disk that was full for a while must not keep what somebody was told is removed.
    """
    failed = Job.objects.filter(kind=SETTLE_RECORDING, state=JobState.FAILED)
    subjects = list(failed.values_list("subject_id", flat=True))
    for subject_id in subjects:
        jobs.enqueue(SETTLE_RECORDING, subject_id)
    return len(subjects)


def _same(known: Passage, recording: Recording, start_s: float, end_s: float) -> Passage:
    """A second try of the same request; anything else must not look as if it had been done."""
    if (known.recording_id, known.start_s, known.end_s) != (recording.pk, start_s, end_s):
        raise InvalidInput(_("Every passage needs a new id of its own."), field="id")
    return known


def _end_edition(recording: Recording, edition: int) -> None:
    current = Recording.objects.filter(pk=recording.pk, edition=edition)
    if not current.update(edition=F("edition") + 1):
        raise RecordingChanged(
            _(
                "The recording has changed since this page was opened, and other moments are at"
                " these times now. Nothing was removed. Look for the passage again."
            )
        )


def _settle_now(job: Job) -> None:
    """Carry it out here unless a worker was faster. What fails here is tried again by a worker.

    Where files have to come from a bucket first, it is a worker's in any case: that takes long.
    """
    if storage().remote is not None:
        return
    if lease := jobs.take(job):
        settle(lease)
        jobs.finish(lease)


def settle(lease: Lease) -> None:
    """Let the files of a recording follow its rows. May be done again, and after a crash.

    Raises `LeaseLost` before a step if another does it by now: the rows that were read here may
    say something else since, and would put files where nobody may have them any more.
    """
    jobs.hold(lease)
    recording = Recording.objects.get(public_id=lease.subject_id)
    publicity.place_files(recording)
    for passage in recording.passages.filter(done_at=None).order_by("pk"):
        jobs.hold(lease)
        passages.carry_out(passage)
    jobs.hold(lease)
    archiving.enqueue_archiving(lease.subject_id, after=archiving.SETTLED_FOR)
