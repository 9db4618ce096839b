"""The pages of jobs: whose they are, what they say, their buttons, and how fast that is told."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from core.accounts.models import User
from core.clock import now
from core.ids import new_id
from core.realtime import tickets
from core.realtime.db import run_in_db
from media_pipeline import jobs
from media_pipeline.jobs import Lease
from media_pipeline.models import (
    Asset,
    AssetKind,
    AssetState,
    Job,
    JobFault,
    JobState,
    Recording,
    RecordingState,
    Upload,
    UploadState,
)
from media_pipeline.services.clips import MAKE_CLIP, clip_failed
from media_pipeline.services.recordings import PROCESS_RECORDING
from media_pipeline.services.settling import SETTLE_RECORDING
from media_pipeline.services.uploads import IMPORT_UPLOAD, upload_failed
from media_pipeline.storage import NoSuchFile, storage
from streams.client import RoomClient
from tests.world import World

STUDIO, OPERATOR = "/studio/jobs/", "/operator/jobs/"


def at(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def seen(user: User, path: str = STUDIO) -> str:
    answer = at(user).get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def recording_of(world: World) -> Recording:
    return Recording.objects.create(
        show_id=world.show.public_id, is_public=True, state=RecordingState.READY
    )


def clip_job(world: World, title: str = "How to prune") -> Job:
    clip = Asset.objects.create(
        kind=AssetKind.CLIP, recording=recording_of(world), is_public=True, title=title
    )
    return jobs.enqueue(MAKE_CLIP, clip.public_id, owner=world.zhang)


def claimed(kind: str = MAKE_CLIP) -> Lease:
    lease = jobs.claim([kind])
    assert lease
    return lease


def press(user: User, job: Job, what: str) -> int:
    return at(user).post(f"/studio/jobs/{job.public_id}/{what}/").status_code


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def test_a_seller_sees_what_is_made_for_the_shop_and_nothing_else(world: World) -> None:
    jobs.enqueue(PROCESS_RECORDING, recording_of(world).public_id)  # which nobody asked for
    assert world.show.title in seen(world.zhang)
    for stranger in (world.gao, world.li):
        page = seen(stranger)
        assert world.show.title not in page
        assert "Nothing to be made" in page
    assert Client().get(STUDIO).status_code == 302


def test_all_jobs_are_for_operators(world: World) -> None:
    clip_job(world)
    assert "How to prune" in seen(world.zhao, OPERATOR)
    assert at(world.zhang).get(OPERATOR).status_code == 404


def test_a_running_job_tells_how_far_it_is_and_how_long_it_takes(world: World) -> None:
    job = clip_job(world)
    lease = claimed()
    Job.objects.filter(pk=job.pk).update(started_at=now().replace(year=2020))
    jobs.heartbeat(lease, 0.5)
    page = seen(world.zhang)
    assert "50 %" in page
    assert "hours left" in page


def test_operators_see_which_worker_has_it(world: World) -> None:
    clip_job(world)
    name = jobs.this_worker()
    assert name not in seen(world.zhao, OPERATOR)  # it waits
    jobs.fail(claimed(), "No room.", again=False)
    assert f"Worker: {name}" in seen(world.zhao, OPERATOR)
    assert name not in seen(world.zhang)


def test_a_dead_letter_says_why_and_what_to_do(world: World) -> None:
    job = clip_job(world)
    said = "The storage for films does not answer."
    jobs.fail(claimed(), said, again=False, fault=JobFault.STORAGE)
    page = seen(world.zhang)
    assert said in page
    assert "Try again once the storage answers" in page
    assert press(world.zhang, job, "retry") == 302
    assert state_of(job) == JobState.QUEUED


def test_a_film_that_cannot_be_read_is_not_tried_again(world: World) -> None:
    job = clip_job(world)
    jobs.fail(claimed(), "This video cannot be read.", again=False, fault=JobFault.SOURCE)
    assert "Bring another copy of it" in seen(world.zhang)
    press(world.zhang, job, "retry")
    assert state_of(job) == JobState.FAILED


def test_a_cancelled_clip_says_so_and_can_be_started_after_all(world: World) -> None:
    job = clip_job(world)
    lease = claimed()
    assert press(world.zhang, job, "cancel") == 302
    clip = Asset.objects.get(public_id=job.subject_id)
    assert (state_of(job), clip.state) == (JobState.CANCELLED, AssetState.FAILED)
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(lease)
    assert "Start it after all" in seen(world.zhang)
    press(world.zhang, job, "retry")
    clip.refresh_from_db()
    assert (state_of(job), clip.state, clip.error) == (JobState.QUEUED, AssetState.WAITING, "")


def test_strangers_press_nothing(world: World) -> None:
    job = clip_job(world)
    for stranger in (world.gao, world.li):
        assert press(stranger, job, "cancel") == 404
    assert state_of(job) == JobState.QUEUED
    jobs.cancel(job, None)
    assert press(world.gao, job, "retry") == 404
    assert state_of(job) == JobState.CANCELLED


def test_what_somebody_was_promised_is_not_cancelled(world: World) -> None:
    job = jobs.enqueue(SETTLE_RECORDING, recording_of(world).public_id)
    press(world.zhang, job, "cancel")
    assert state_of(job) == JobState.QUEUED


def film(world: World) -> Upload:
    return Upload.objects.create(
        seller=world.farm,
        owner=world.zhang,
        title="Grafting",
        size=1,
        modified_ms=0,
        part_size=1,
        key=(key := f"private/uploads/{new_id()}/film.mp4"),
        storage_id=storage().uploads.begin(key),
        state=UploadState.ARRIVED,
        asked_at=now(),
    )


@pytest.mark.parametrize(
    ("fault", "state"), [(JobFault.STORAGE, UploadState.ARRIVED), (JobFault.SOURCE, "failed")]
)
def test_a_film_is_sent_once_unless_it_was_its_own_fault(
    world: World, fault: JobFault, state: str
) -> None:
    upload = film(world)
    job = jobs.enqueue(IMPORT_UPLOAD, upload.public_id)
    assert "Grafting" in seen(world.zhang)
    jobs.fail(claimed(IMPORT_UPLOAD), "No.", again=False, fault=fault)
    upload_failed(upload.public_id, "No.")
    keeps = fault == JobFault.STORAGE
    with nullcontext() if keeps else pytest.raises(NoSuchFile):
        storage().uploads.parts(upload.key, upload.storage_id)
    press(world.zhang, job, "retry")
    upload.refresh_from_db()
    assert upload.state == state


def test_a_reason_is_read_in_the_language_of_who_reads_it(world: World) -> None:
    job = clip_job(world)
    jobs.fail(claimed(), "This video cannot be read. It may be damaged.", again=False)
    clip_failed(job.subject_id, "This video cannot be read. It may be damaged.")
    chinese = {"HTTP_ACCEPT_LANGUAGE": "zh-hans"}
    said = "这个视频读不出来，可能已经损坏。"
    for path in (
        STUDIO,
        f"/api/v1/shows/{world.show.public_id}/clips",
        f"/api/v1/jobs/{job.public_id}",
    ):
        answer = at(world.zhang).get(path, **chinese).content.decode()
        if path != STUDIO:
            answer = str(json.loads(answer))
        assert said in answer, path
        assert "cannot be read" not in answer, path


def mine(site: str, user: User) -> RoomClient:
    client = RoomClient(f"ws://{site}", "", ticket=tickets.issue(user.public_id))
    client.url = f"ws://{site}/ws/me/"
    return client


async def test_who_looks_is_told_at_once_and_nobody_else(site: str, world: World) -> None:
    async with (
        mine(site, world.zhang) as zhang,
        mine(site, world.zhao) as zhao,
        mine(site, world.gao) as gao,
    ):
        job = await run_in_db(clip_job, world)
        await zhang.until(lambda: "jobs" in zhang.now)
        await zhao.until(lambda: "jobs" in zhao.now)
        before: Any = zhang.now["jobs"]
        lease = await run_in_db(claimed)
        await run_in_db(jobs.heartbeat, lease, 0.5)
        await zhang.until(lambda: zhang.now["jobs"] != before)
        assert "jobs" not in gao.now
        assert UUID(str(job.public_id))
