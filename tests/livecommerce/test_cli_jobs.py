"""`livecommerce jobs`, as an operator types it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from livecommerce.cli import main
from media_pipeline import jobs
from media_pipeline.models import Job, JobFault, JobState
from tests.streams.test_jobs_pages import claimed, clip_job
from tests.world import World


@pytest.fixture(autouse=True)
def database_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is, is the matter of `test_cli`; to ask costs more than all of this."""
    monkeypatch.setattr("livecommerce.cli.need_database", lambda: None)


def said(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, ["jobs", *arguments])


def test_the_list_has_what_waits_runs_or_failed(world: World) -> None:
    assert "No job is waiting" in said("list").output
    job = clip_job(world)
    jobs.heartbeat(claimed(), 0.25)
    listed = said("list").output
    assert f"{job.pk}" in listed
    assert "How to prune" in listed
    assert "25 %" in listed


def test_all_of_them_are_shown_when_asked_for(world: World) -> None:
    clip_job(world)
    jobs.finish(claimed())
    assert "How to prune" not in said("list").output
    assert "How to prune" in said("list", "--all").output


def test_one_job_says_why_it_failed_and_what_to_do(world: World) -> None:
    job = clip_job(world)
    jobs.fail(claimed(), "The storage does not answer.", again=False, fault=JobFault.STORAGE)
    told = said("show", str(job.pk)).output
    assert "The storage does not answer." in told
    assert "Nothing of yours is lost" in told
    assert "Zhang" in told


def test_it_is_stopped_and_started_after_all(world: World) -> None:
    job = clip_job(world)
    assert said("cancel", str(job.pk)).exit_code == 0
    assert Job.objects.get().state == JobState.CANCELLED
    assert said("retry", str(job.pk)).exit_code == 0
    assert Job.objects.get().state == JobState.QUEUED
    again = said("retry", str(job.pk))
    assert (again.exit_code, "under way" in again.output) == (1, True)


@pytest.mark.parametrize("what", ["show", "cancel", "retry", "watch"])
def test_an_unknown_number_is_said_in_one_line(db: None, what: str) -> None:
    answer = said(what, "4711")
    assert answer.exit_code == 1
    assert "There is no job 4711" in answer.output


def test_watching_ends_with_the_jobs(world: World) -> None:
    job = clip_job(world)
    lease = claimed()
    jobs.finish(lease)
    done = said("watch", str(job.pk))
    assert (done.exit_code, "100 %" in done.output) == (0, True)
    jobs.restart(job.kind, job.subject_id)
    jobs.fail(claimed(), "No.", again=False)
    assert said("watch", str(job.pk)).exit_code == 1
