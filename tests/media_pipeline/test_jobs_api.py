from __future__ import annotations

import pytest
from django.test import Client

from core.accounts.models import User
from core.ids import new_id
from media_pipeline import jobs
from media_pipeline.models import Job
from tests.world import World


@pytest.fixture
def job(world: World) -> Job:
    return jobs.enqueue("make_clip", new_id(), owner=world.zhang)


def ask(user: User | None, job_id: object) -> tuple[int, dict[str, object]]:
    client = Client()
    if user:
        client.force_login(user)
    response = client.get(f"/api/v1/jobs/{job_id}")
    return response.status_code, response.json()


def test_its_owner_sees_how_a_job_is_doing(world: World, job: Job) -> None:
    lease = jobs.claim(["make_clip"])
    assert lease
    jobs.heartbeat(lease, 0.25)
    status, told = ask(world.zhang, job.public_id)
    assert status == 200
    assert told == {
        "id": str(job.public_id),
        "kind": "make_clip",
        "state": "running",
        "progress": 0.25,
        "error": "",
    }


def test_an_operator_sees_it_too(world: World, job: Job) -> None:
    assert ask(world.zhao, job.public_id)[0] == 200


def test_to_everybody_else_it_does_not_exist(world: World, job: Job) -> None:
    for user in (world.gao, world.li):
        status, told = ask(user, job.public_id)
        assert (status, told["code"]) == (404, "not_found")


def test_nobody_is_told_of_jobs_without_signing_in(job: Job) -> None:
    for job_id in (job.public_id, new_id()):
        status, told = ask(None, job_id)
        assert (status, told["code"]) == (401, "sign_in_required")


def test_a_job_without_an_owner_is_not_everybodys(world: World) -> None:
    job = jobs.enqueue("process_recording", new_id())
    assert ask(world.zhang, job.public_id)[0] == 404


def test_an_unknown_job_is_not_found(world: World) -> None:
    assert ask(world.zhao, new_id())[0] == 404
