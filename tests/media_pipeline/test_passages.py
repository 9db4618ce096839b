"""A passage that must not stay online: afterwards nothing in the storage shows it."""

from __future__ import annotations

import math
import re
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from core.errors import Conflict, InvalidInput
from media_pipeline import jobs, tasks
from media_pipeline.jobs import LeaseLost
from media_pipeline.models import Asset, AssetState, Passage, Recording, RecordingState
from media_pipeline.playlists import parse_segments
from media_pipeline.selectors import media_clock, playback
from media_pipeline.services import passages, settling
from media_pipeline.services.clips import make_clip
from media_pipeline.services.editions import RecordingChanged
from media_pipeline.services.recordings import PROCESS_RECORDING, enqueue_processing
from media_pipeline.services.settling import (
    SETTLE_RECORDING,
    remove_passage,
)
from media_pipeline.storage import storage
from media_pipeline.work import Work
from media_pipeline.worker import run_waiting
from tests.media_pipeline.footage import (
    FPS,
    Footage,
    folder_of,
    frame_numbers,
    recording_of,
    take_ids,
)
from tests.world import World, show_of

pytestmark = pytest.mark.ffmpeg


@pytest.fixture(autouse=True)
def _storage_of_its_own(settings: Any, tmp_path: Path) -> None:
    """These look at every file that there is."""
    settings.DATA_ROOT = tmp_path


def removed(
    recording: Recording,
    world: World,
    start_s: float,
    end_s: float,
    *,
    passage_id: uuid.UUID | None = None,
    whole: bool = False,
) -> Passage:
    """As asked from a page that showed the recording as it is in `recording`."""
    return remove_passage(
        passage_id=passage_id or uuid.uuid4(),
        recording_id=recording.public_id,
        edition=recording.edition,
        start_s=start_s,
        end_s=end_s,
        whole=whole,
        actor=world.zhang,
    )


def frames_in_storage() -> set[int]:
    """Every number of the footage's frames that any file in the whole storage shows.

    Sheets of small pictures are too coarse to tell a frame from the next: they must be those that
    were made with the renditions of now.
    """
    seen: set[int] = set()
    now = {key.rpartition("/")[0] for key in Asset.objects.values_list("storyboard_key", flat=True)}
    for path in sorted(storage().root.rglob("*")):
        if path.name.startswith("sheet-"):
            assert path.parent.relative_to(storage().root).as_posix() in now
            continue
        if path.suffix == ".m4s" and (init := path.with_name("init.mp4")).exists():
            seen |= shown_by(init.read_bytes() + path.read_bytes())
        elif path.suffix in {".mp4", ".jpg"} and path.name != "init.mp4":
            seen |= set(frame_numbers(path, "mov,image2,jpeg_pipe"))
        elif path.name == "video.m3u8":
            seen |= set(frame_numbers(path, "hls,mov"))
    return seen


def shown_by(data: bytes) -> set[int]:
    path = storage().root / "looked-at.mp4"
    path.write_bytes(data)
    try:
        return set(frame_numbers(path))
    finally:
        path.unlink()


def chunks_of(recording: Recording) -> Path:
    [take_id] = take_ids(recording)
    key = f"private/takes/{take_id}/chunks.bin"
    storage().write(key, b"the take as it came in")
    return storage().path(key)


def test_nothing_in_the_whole_storage_shows_a_removed_passage(world: World) -> None:
    recording = recording_of(world.show, Footage(seconds=6))
    chunks = chunks_of(recording)
    clips = [
        make_clip(
            recording_id=recording.public_id,
            edition=0,
            start_s=start_s,
            end_s=start_s + 1.5,
            title=f"from {start_s}",
            actor=world.zhang,
        )
        for start_s in (0.0, 2.5, 4.4)
    ]
    enqueue_processing(recording.public_id)
    run_waiting()
    assert frames_in_storage() >= set(range(6 * FPS))
    old = [key for key in storage().keys(folder_of(recording)) if key.endswith(".m4s")]

    passage = removed(recording, world, 2.4, 3.3)

    run_waiting()  # makes renditions, download and poster anew, of what is left
    gone = set(range(2 * FPS, 4 * FPS))
    assert frames_in_storage() == set(range(6 * FPS)) - gone
    assert not chunks.exists()
    assert passage.done_at
    assert passage.removed_by == world.zhang
    assert passage.removed_s == pytest.approx(2, abs=0.01)
    still = set(storage().keys(folder_of(recording)))
    died = {key.rpartition("/")[2] for key in old if key not in still}
    assert died >= {"00002.m4s", "00003.m4s"}
    states = [Asset.objects.get(pk=clip.pk).state for clip in clips]
    assert states == [AssetState.READY, AssetState.FAILED, AssetState.READY]
    later = Asset.objects.get(pk=clips[2].pk)
    assert later.start_s == pytest.approx(2.4, abs=0.01)


def test_the_clock_keeps_what_is_around_a_removed_passage_at_its_place(world: World) -> None:
    recording = recording_of(world.show, Footage(seconds=6), Footage(seconds=2))
    before = media_clock(recording)
    moments = {s: before.wall(s) for s in (0.5, 1.9, 3.0, 4.5, 7.0)}
    removed(recording, world, 2.4, 3.3)
    recording.refresh_from_db()
    after = media_clock(recording)
    places = {s: after.media_s(wall) for s, wall in moments.items() if wall}
    assert places == pytest.approx({0.5: 0.5, 1.9: 1.9, 3.0: 2.0, 4.5: 2.5, 7.0: 5.0}, abs=0.01)
    assert recording.duration_s == pytest.approx(6, abs=0.02)
    found = playback(recording.show_id)
    assert found
    playlist = storage().read(f"{folder_of(recording)}/replay.m3u8").decode()
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 2
    assert len(parse_segments(playlist)) == 6
    assert frame_numbers(storage().path(f"{folder_of(recording)}/replay.m3u8"), "hls,mov")


def test_a_take_whose_camera_drifts_is_cut_with_its_clock_and_playlists_tell_the_same(
    world: World,
) -> None:
    recording = recording_of(world.show, Footage(seconds=6))
    recording.takes.update(drift=[[500, 100], [2500, 300], [5500, 150]])
    before = media_clock(recording)
    moments = {s: before.wall(s) for s in (0.5, 1.9, 4.5, 5.9)}
    removed(recording, world, 2.4, 3.3)
    recording.refresh_from_db()
    after = media_clock(recording)
    places = {s: after.media_s(wall) for s, wall in moments.items() if wall}
    assert places == pytest.approx({0.5: 0.5, 1.9: 1.9, 4.5: 2.5, 5.9: 3.9}, abs=0.01)
    playlist = storage().read(f"{folder_of(recording)}/replay.m3u8").decode()
    told = [datetime.fromisoformat(found) for found in re.findall("DATE-TIME:(.*)", playlist)]
    edges = [after.wall(float(second)) for second in range(4)]
    late_ms = [
        abs(one - two) / timedelta(milliseconds=1)
        for one, two in zip(told, edges, strict=True)
        if two
    ]
    assert len(late_ms) == 4
    assert max(late_ms) <= 3


@pytest.mark.parametrize(
    ("start_s", "end_s", "left"),
    [(0, 0.5, {*range(10, 40)}), (3.5, 4.4, {*range(30)}), (0.2, 3.9, set())],
)
def test_a_passage_may_be_the_beginning_the_end_or_all(
    world: World, start_s: float, end_s: float, left: set[int]
) -> None:
    recording = recording_of(world.show, Footage())
    if not left:
        with pytest.raises(InvalidInput) as refused:
            removed(recording, world, start_s, end_s)
        assert refused.value.field == "whole"
        assert frames_in_storage() == {*range(40)}
    removed(recording, world, start_s, end_s, whole=not left)
    run_waiting()
    assert frames_in_storage() == left
    recording.refresh_from_db()
    assert (recording.state == RecordingState.EMPTY) == (not left)


def test_a_renditions_job_that_runs_meanwhile_cannot_bring_it_back(world: World) -> None:
    recording = recording_of(world.show, Footage())
    enqueue_processing(recording.public_id)
    lease = jobs.claim([PROCESS_RECORDING])
    assert lease
    removed(recording, world, 1.2, 1.8)
    with pytest.raises(LeaseLost):
        tasks.process_recording(Work(lease))
    assert not set(range(10, 20)) & frames_in_storage()
    run_waiting()
    assert Asset.objects.get(recording=recording).state == AssetState.READY
    assert not set(range(10, 20)) & frames_in_storage()


def test_asking_twice_removes_once(world: World) -> None:
    recording = recording_of(world.show, Footage())
    first = removed(recording, world, 1.2, 1.8)
    again = removed(recording, world, 1.2, 1.8, passage_id=first.public_id)
    assert again == first
    recording.refresh_from_db()
    assert recording.duration_s == pytest.approx(3, abs=0.01)


def test_a_known_id_is_no_answer_to_another_request(world: World) -> None:
    """Or a passage that stays would look as if it had been removed, or tell of another show's."""
    first = removed(recording_of(world.show, Footage()), world, 1.2, 1.8)
    elsewhere = recording_of(show_of(world.farm, world.zhang, "Pears"), Footage())
    for recording, start_s in ((elsewhere, 1.2), (first.recording, 0.2)):
        recording.refresh_from_db()
        with pytest.raises(InvalidInput) as refused:
            removed(recording, world, start_s, 1.8, passage_id=first.public_id)
        assert refused.value.field == "id"
    assert Passage.objects.count() == 1


def test_seconds_of_a_page_that_is_not_up_to_date_remove_nothing(world: World) -> None:
    """A page that was opened while the files followed may have shown the ones of before."""
    seen = recording_of(world.show, Footage())
    removed(seen, world, 0.2, 0.8)
    now = Recording.objects.get(pk=seen.pk)
    meanwhile = Recording(public_id=seen.public_id, edition=seen.edition + 1)
    for page in (seen, meanwhile):
        with pytest.raises(RecordingChanged):
            removed(page, world, 1.2, 1.8)
    removed(now, world, 1.2, 1.8)
    run_waiting()
    assert frames_in_storage() == {*range(10, 20), *range(30, 40)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("is_checked", "expected"), [(True, 1), (False, 2)], ids=["checked", "negative control"]
)
def test_of_two_who_ask_at_once_one_is_told_to_look_again(
    world: World, monkeypatch: pytest.MonkeyPatch, is_checked: bool, expected: int
) -> None:
    recording = recording_of(world.show, Footage())
    if not is_checked:
        monkeypatch.setattr(settling, "_end_edition", lambda *_: None)
    start = threading.Barrier(2)

    def ask(start_s: float) -> None:
        start.wait(timeout=10)
        with suppress(RecordingChanged):
            ask_until_settled(lambda: removed(recording, world, start_s, start_s + 0.6))
        connection.close()

    people = [threading.Thread(target=ask, args=(start_s,)) for start_s in (0.2, 1.2)]
    for one in people:
        one.start()
    for one in people:
        one.join(timeout=30)
    assert Passage.objects.count() == expected


def ask_until_settled(ask: Callable[[], object]) -> None:
    """Again and again while the other's files follow, as somebody does who is in a hurry."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            ask()
        except RecordingChanged:
            raise
        except Conflict:
            continue
        return


def test_what_a_crash_left_undone_is_done_by_a_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = recording_of(world.show, Footage())
    real = passages._move

    def dies(*args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(passages, "_move", dies)
        with pytest.raises(SystemExit):
            removed(recording, world, 1.2, 1.8)
    assert passages._move is real
    assert not set(range(10, 20)) & frames_in_storage()
    with pytest.raises(Conflict):
        removed(recording, world, 2.2, 2.8)
    job = jobs.job_of(SETTLE_RECORDING, recording.public_id)
    assert job
    jobs.restart(SETTLE_RECORDING, recording.public_id)  # as when the lease has run out
    run_waiting()
    assert Passage.objects.get().done_at
    assert frames_in_storage() == {*range(10), *range(20, 40)}


@pytest.mark.parametrize(
    ("start_s", "end_s", "field"),
    [
        (-1, 2, "start_s"),
        (4.5, 5, "start_s"),
        (math.nan, 3, "start_s"),
        (2, 2, "end_s"),
        (3, 2, "end_s"),
        (3.95, 4.4, "end_s"),
        (1, 4.6, "end_s"),
        (1, 1e308, "end_s"),
        (1, math.nan, "end_s"),
    ],
)
def test_a_passage_outside_of_the_recording_is_refused(
    world: World, start_s: float, end_s: float, field: str
) -> None:
    recording = recording_of(world.show, Footage())
    with pytest.raises(InvalidInput) as refused:
        removed(recording, world, start_s, end_s, whole=True)
    assert refused.value.field == field
    recording.refresh_from_db()
    assert recording.edition == 0
    assert not Passage.objects.exists()
