"""Changes of a finished recording's files: who may see them, and what is taken out of them.

Each change is one transaction that says what is to be, and then files that follow. Whoever asks
carries it out at once; should that fail in the middle, a job does the rest. One change at a time.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict, NotFound
from media_pipeline import jobs
from media_pipeline.models import Job, Passage, Recording, RecordingState
from media_pipeline.services import passages, publicity

SETTLE_RECORDING = "settle_recording"


def remove_passage(
    *, passage_id: uuid.UUID, recording_id: uuid.UUID, start_s: float, end_s: float, actor: User
) -> Passage:
    """Take out what was filmed from `start_s` to `end_s` (seconds of the recording), for good.

    The same `passage_id` again removes nothing more. Whoever calls decides who may. Raises
    `NotFound`, `InvalidInput` for times outside of the recording, and `Conflict` while the
    recording is not complete or an earlier change of its files is still being carried out.
    """
    if known := Passage.objects.filter(public_id=passage_id).first():
        return known
    with transaction.atomic():
        recording = _locked(Recording.objects.filter(public_id=recording_id).first())
        passages.check_times(recording, start_s, end_s)
        passage = passages.write_down(recording, passage_id, start_s, end_s, actor)
        job = jobs.restart(SETTLE_RECORDING, recording.public_id, priority=10)
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
    recording = _locked(recording)
    publicity.change_rows(recording, is_public=is_public)
    job = jobs.restart(SETTLE_RECORDING, recording.public_id, priority=10)
    transaction.on_commit(lambda: _settle_now(job))


def _locked(recording: Recording | None) -> Recording:
    if recording is None:
        raise NotFound(_("There is no such recording."))
    locked = Recording.objects.select_for_update().get(pk=recording.pk)
    if locked.state == RecordingState.LIVE:
        raise Conflict(_("The recording is not complete yet. End the show first."))
    if jobs.is_open(SETTLE_RECORDING, locked.public_id):
        raise Conflict(_("The last change is still being carried out. Try again in a moment."))
    return locked


def _settle_now(job: Job) -> None:
    """Carry it out here unless a worker was faster. What fails here is tried again by a worker."""
    if lease := jobs.take(job):
        settle(lease.subject_id)
        jobs.finish(lease)


def settle(recording_id: uuid.UUID) -> None:
    """Let the files of a recording follow its rows. May be done again, and after a crash."""
    recording = Recording.objects.get(public_id=recording_id)
    publicity.place_files(recording)
    for passage in recording.passages.filter(done_at=None).order_by("pk"):
        passages.carry_out(passage)
