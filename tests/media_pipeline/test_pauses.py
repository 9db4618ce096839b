"""Where a recording may be cut: pauses of the speaker and changes of the picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_pipeline import ffmpeg, jobs
from media_pipeline.jobs import Lease
from media_pipeline.models import JobState, Recording
from media_pipeline.pauses import FIND_PAUSES, ask_for_pauses, listen, pauses_of
from media_pipeline.recipes import Part
from media_pipeline.work import Work
from media_pipeline.worker import run_waiting
from tests.media_pipeline.footage import Footage, recording_of
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Red for four seconds, then blue; a tone with a pause in the fourth, in an awkward folder."""
    folder = tmp_path / "it's a: [talk], really; 果"
    folder.mkdir()
    picture = (
        "color=red:size=160x90:rate=10:d=4[a];color=blue:size=160x90:rate=10:d=4[b];[a][b]concat"
    )
    tone = "aevalsrc=0.3*sin(440*2*PI*t)*(lt(t\\,3)+gt(t\\,4)):d=8"
    args = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-c:v", "libx264"]
    ffmpeg.run([*args, "-g", "10", "-c:a", "aac", str(folder / "talk.mp4")], timeout_s=30)
    return folder / "talk.mp4"


def heard(
    path: Path, start_s: float, duration_s: float
) -> tuple[list[tuple[float, ...]], list[float]]:
    work = Work(Lease(0, FIND_PAUSES, Recording().public_id, 1, 1))
    pauses, scenes = listen(Part(path, start_s, duration_s, has_audio=True), path.parent, work)
    return [tuple(round(at_s, 1) for at_s in one) for one in pauses], scenes


def test_pauses_and_changes_count_from_the_begin_of_the_part(talk: Path) -> None:
    assert heard(talk, 0, 8) == ([(3.0, 4.0)], [4.0])
    assert heard(talk, 1, 6) == ([(2.0, 3.0)], [3.0])


def test_a_pause_that_lasts_to_the_end_ends_there(talk: Path) -> None:
    assert heard(talk, 2, 1.5) == ([(1.0, 1.5)], [])


def test_a_job_listens_once_for_each_edition(world: World) -> None:
    recording = recording_of(world.show, Footage(sound=False), Footage())
    assert pauses_of(recording.public_id) is None
    ask_for_pauses(recording.public_id)
    run_waiting()
    found = pauses_of(recording.public_id)
    assert found
    assert (found.edition, found.pauses) == (recording.edition, [])
    assert ask_for_pauses(recording.public_id).state == JobState.DONE

    Recording.objects.update(edition=recording.edition + 1)
    assert pauses_of(recording.public_id) is None
    assert ask_for_pauses(recording.public_id).state == JobState.QUEUED
    assert jobs.is_open(FIND_PAUSES, recording.public_id)
