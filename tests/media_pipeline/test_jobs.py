from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connections

from core.clock import now
from core.ids import new_id
from media_pipeline import jobs, room
from media_pipeline.jobs import Lease, LeaseLost
from media_pipeline.models import Job, JobState, Recording, RecordingState, Upload
from media_pipeline.services.recordings import PROCESS_RECORDING, enqueue_processing
from tests.world import World

KIND = "press_apples"

pytestmark = pytest.mark.django_db


def waiting(priority: int = 100) -> Job:
    return jobs.enqueue(KIND, new_id(), priority=priority)


def claimed() -> Lease:
    lease = jobs.claim([KIND])
    assert lease
    return lease


def fresh(job: Job) -> Job:
    job.refresh_from_db()
    return job


def test_asking_twice_is_asking_once() -> None:
    job = waiting()
    assert jobs.enqueue(KIND, job.subject_id).pk == job.pk
    assert Job.objects.count() == 1


def test_a_failed_job_can_be_asked_for_again() -> None:
    job = waiting()
    jobs.fail(claimed(), "Broken.", again=False)
    again = jobs.enqueue(KIND, job.subject_id)
    assert (again.state, again.attempts, again.error) == (JobState.QUEUED, 0, "")
    assert claimed().attempt == 1


def test_a_running_or_finished_job_is_not_begun_again() -> None:
    job = waiting()
    lease = claimed()
    assert jobs.enqueue(KIND, job.subject_id).state == JobState.RUNNING
    jobs.finish(lease)
    assert jobs.enqueue(KIND, job.subject_id).state == JobState.DONE


def test_the_urgent_one_goes_first_then_the_older_one() -> None:
    later, first, second = waiting(100), waiting(50), waiting(50)
    assert [claimed().job_id for _ in range(3)] == [first.pk, second.pk, later.pk]
    assert jobs.claim([KIND]) is None


def test_a_worker_takes_only_what_it_can_do() -> None:
    waiting()
    assert jobs.claim(["shine_shoes"]) is None


def test_progress_goes_out_with_the_heartbeat_and_keeps_the_lease() -> None:
    job = waiting()
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        lease = claimed()
        clock.shift(20)
        jobs.heartbeat(lease, 0.4)
        clock.shift(20)  # longer than the lease since it was claimed
        assert fresh(job).progress == 0.4
        assert jobs.claim([KIND]) is None


def test_a_lease_that_ran_out_is_claimed_by_another() -> None:
    waiting()
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        gone = claimed()
        clock.shift(31)
        other = claimed()
    assert (other.job_id, other.epoch, other.attempt) == (gone.job_id, gone.epoch + 1, 2)


def test_a_cancelled_job_is_gone_from_its_worker_at_once() -> None:
    job = waiting()
    lease = claimed()
    assert jobs.cancel(job, None)
    with pytest.raises(LeaseLost):
        jobs.heartbeat(lease, 0.5)
    assert jobs.claim([KIND]) is None
    assert fresh(job).state == JobState.CANCELLED


def test_only_a_person_brings_a_cancelled_job_back() -> None:
    job = waiting()
    jobs.cancel(job, None)
    assert jobs.enqueue(KIND, job.subject_id).state == JobState.CANCELLED
    assert jobs.retry(job)
    assert claimed().attempt == 1


def test_what_has_ended_is_neither_cancelled_nor_retried() -> None:
    job = waiting()
    jobs.finish(claimed())
    assert not jobs.cancel(job, None)
    assert not jobs.retry(job)
    assert fresh(job).state == JobState.DONE


def test_the_rest_takes_as_long_as_it_went_so_far() -> None:
    job = waiting()
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        lease = claimed()
        assert jobs.remaining_s(fresh(job), now()) is None
        clock.shift(20)
        jobs.heartbeat(lease, 0.25)
        assert jobs.remaining_s(fresh(job), now()) == 60
        clock.shift(10)  # nothing was heard since, but the time has passed
        assert jobs.remaining_s(fresh(job), now()) == 50
        jobs.finish(lease)
        assert jobs.remaining_s(fresh(job), now()) is None


def test_a_worker_that_has_gone_is_told_of_before_its_lease_ends() -> None:
    job = waiting()
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        assert not jobs.is_silent(fresh(job), now())
        lease = claimed()
        clock.shift(5)
        assert not jobs.is_silent(fresh(job), now())
        clock.shift(5)
        assert jobs.is_silent(fresh(job), now())
        jobs.heartbeat(lease, 0.25)
        assert not jobs.is_silent(fresh(job), now())
        clock.shift(20)
        jobs.finish(lease)
        assert not jobs.is_silent(fresh(job), now())


def test_a_show_on_the_air_goes_before_replays_and_those_before_old_films(world: World) -> None:
    def sealed(show_id: uuid.UUID, state: RecordingState) -> uuid.UUID:
        made = Recording.objects.create(show_id=show_id, is_public=True, state=state)
        return made.public_id

    film = Upload.objects.create(
        seller=world.farm, size=1, modified_ms=0, part_size=1, key="k", asked_at=now()
    )
    old = enqueue_processing(sealed(film.show_id, RecordingState.READY))
    replay = enqueue_processing(sealed(new_id(), RecordingState.READY))
    live = enqueue_processing(sealed(world.show.public_id, RecordingState.LIVE))
    found = [jobs.claim([PROCESS_RECORDING]) for _ in range(3)]
    assert [lease.job_id for lease in found if lease] == [live.pk, replay.pk, old.pk]
    assert fresh(live).show_id == world.show.public_id


def test_as_many_jobs_at_once_as_there_is_room_for() -> None:
    gigabyte = 2**30
    assert room.fitting(2, 16 * gigabyte) == 1
    assert room.fitting(16, 64 * gigabyte) == 8
    assert room.fitting(16, 4 * gigabyte) == 2
    assert room.fitting(0.5, gigabyte // 2) == 1


def finish(lease: Lease) -> None:
    jobs.finish(lease)


def fail(lease: Lease) -> None:
    jobs.fail(lease, "No.", again=False)


def beat(lease: Lease) -> None:
    jobs.heartbeat(lease, 0.9)


@pytest.mark.parametrize("word", [finish, fail, beat, jobs.hold, jobs.hand_back])
def test_who_lost_the_lease_changes_nothing(word: Callable[[Lease], None]) -> None:
    job = waiting()
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        stale = claimed()
        clock.shift(31)
        claimed()
    before = Job.objects.filter(pk=job.pk).values().get()
    with pytest.raises(LeaseLost):
        word(stale)
    assert Job.objects.filter(pk=job.pk).values().get() == before


def test_a_finished_job_cannot_be_failed() -> None:
    waiting()
    lease = claimed()
    jobs.finish(lease)
    with pytest.raises(LeaseLost):
        jobs.fail(lease, "Too late.", again=True)


def test_it_is_tried_three_times_with_growing_pauses_and_then_given_up() -> None:
    job = waiting()
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        assert jobs.fail(claimed(), "The disk is full.", again=True) is False
        assert jobs.claim([KIND]) is None
        clock.shift(5)
        assert jobs.fail(claimed(), "The disk is full.", again=True) is False
        clock.shift(19)
        assert jobs.claim([KIND]) is None
        clock.shift(1)
        assert jobs.fail(claimed(), "The disk is full.", again=True) is True
    assert (fresh(job).state, job.error) == (JobState.FAILED, "The disk is full.")


def test_what_cannot_be_helped_is_not_tried_again() -> None:
    job = waiting()
    assert jobs.fail(claimed(), "This video cannot be read.", again=False) is True
    assert fresh(job).state == JobState.FAILED


def test_a_job_that_takes_workers_down_is_known_as_a_crasher() -> None:
    waiting()
    with time_machine.travel("2026-05-01T08:00:00Z", tick=False) as clock:
        seen = []
        for _ in range(4):
            seen.append(claimed().is_crasher)
            clock.shift(timedelta(seconds=31))
    assert seen == [False, False, False, True]


def test_handing_back_does_not_cost_an_attempt() -> None:
    waiting()
    first = claimed()
    jobs.hand_back(first)
    second = claimed()
    assert (second.attempt, second.epoch) == (1, 2)


def test_two_workers_that_saw_the_same_job_do_not_both_get_it() -> None:
    waiting()
    [seen_by_one], [seen_by_other] = jobs.candidates([KIND]), jobs.candidates([KIND])
    leases = [jobs.take(seen_by_one), jobs.take(seen_by_other)]
    assert [lease is not None for lease in leases] == [True, False]


def take_without_looking(job: Job) -> bool:
    """What `take` would be without its condition."""
    return Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING) == 1


def test_negative_control_without_the_condition_both_get_it() -> None:
    waiting()
    [seen_by_one], [seen_by_other] = jobs.candidates([KIND]), jobs.candidates([KIND])
    assert [take_without_looking(seen_by_one), take_without_looking(seen_by_other)] == [True, True]


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_get_each_job_once() -> None:
    wanted = {waiting().pk for _ in range(12)}
    got: list[int] = []
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        while lease := jobs.claim([KIND]):
            got.append(lease.job_id)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(got) == sorted(set(got))
    assert set(got) <= wanted
    # A worker that lost every race may leave early; what is left is still there to be claimed.
    while lease := jobs.claim([KIND]):
        got.append(lease.job_id)
    assert set(got) == wanted
