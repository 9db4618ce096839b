"""The life of a show, as its camera and its people make it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from core.clock import now
from core.errors import InvalidInput, NotAllowed, NotFound
from core.ids import new_id
from core.models import OutboxFact
from media_pipeline.events import RecordingSealed
from media_pipeline.ingest.errors import ServerStops, SomebodyBroadcasts, TakeIsOver
from media_pipeline.ingest.layout import recording_folder, recording_key
from media_pipeline.models import Recording, RecordingState, Take, TakeState
from media_pipeline.selectors import playback
from media_pipeline.services import takes
from orders.models import Offer
from sellers.models import Variant
from streams.camera_handlers import close_recording, hide_withheld
from streams.events import ShowEnded
from streams.models import Show, ShowState
from streams.services import ingest_keys, shows
from tests.world import World

NINE = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    variant: Variant
    price_minor: int

    @property
    def terms(self) -> dict[str, int]:
        return {"price_minor": self.price_minor}


@pytest.fixture
def show(world: World) -> Show:
    return world.show


def facts(name: str, package: str = "streams") -> int:
    return OutboxFact.objects.filter(type=f"{package}.{name}").count()


def seen(show: Show) -> tuple[str, datetime | None]:
    show.refresh_from_db()
    return show.state, show.interrupted_at


def with_take(show: Show, *, seconds: int, started_at: datetime = NINE) -> Take:
    """An open take with so many one-second segments on disk, as a stopped server leaves it."""
    recording = takes.recording_of(show.public_id, is_public=True)
    take = recording.takes.create(
        public_id=uuid.uuid4(), position=recording.takes.count(), mime="video/webm"
    )
    folder = recording_folder(recording_key(recording.public_id, is_public=True))
    folder = folder / str(take.public_id)
    folder.mkdir(parents=True)
    lines = ["#EXTM3U"]
    for number in range(seconds):
        (folder / f"{number:05d}.m4s").write_bytes(b"segment")
        lines += ["#EXTINF:1.000000,", f"{number:05d}.m4s"]
    (folder / "take.m3u8").write_text("\n".join(lines) + "\n")
    if seconds:
        takes.take_started(take, started_at)
    return take


def test_a_show_is_scheduled_with_what_it_sells(world: World) -> None:
    show = shows.schedule_show(
        seller=world.farm,
        host=world.zhang,
        title="  Pears   and apples ",
        scheduled_at=NINE,
        offers=[Plan(world.pears, 2000), Plan(world.apples, 3000)],
    )
    assert (show.state, show.title) == (ShowState.SCHEDULED, "Pears and apples")
    offers = Offer.objects.filter(show_id=show.public_id)
    assert [(one.variant, one.price_minor) for one in offers] == [
        (world.pears, 2000),
        (world.apples, 3000),
    ]


@pytest.mark.parametrize(
    ("wrong", "field"), [({"title": "  "}, "title"), ({"audience": "nobody"}, "audience")]
)
def test_a_show_that_makes_no_sense_is_not_scheduled(
    world: World, wrong: dict[str, str], field: str
) -> None:
    given = {"title": "Pears", "seller": world.farm, "host": world.zhang, "scheduled_at": NINE}
    with pytest.raises(InvalidInput) as refused:
        shows.schedule_show(**{**given, **wrong})
    assert refused.value.field == field
    assert Show.objects.count() == 1


def test_nobody_schedules_for_another_farm(world: World) -> None:
    with pytest.raises(NotFound):
        shows.schedule_show(seller=world.farm, host=world.gao, title="Mine", scheduled_at=NINE)
    assert Show.objects.count() == 1


def test_another_farms_goods_are_not_sold(world: World) -> None:
    with pytest.raises(InvalidInput):
        shows.schedule_show(
            seller=world.other_farm,
            host=world.gao,
            title="Not my apples",
            scheduled_at=NINE,
            offers=[Plan(world.apples, 1)],
        )
    assert Show.objects.count() == 1


def test_the_camera_starts_interrupts_and_resumes_the_show(show: Show) -> None:
    minute = timedelta(minutes=1)
    steps: list[tuple[Callable[[uuid.UUID, datetime], None], datetime, datetime | None]] = [
        (shows.camera_on, NINE, None),
        (shows.camera_on, NINE + minute, None),
        (shows.camera_off, NINE + 2 * minute, NINE + 2 * minute),
        (shows.camera_off, NINE + 3 * minute, NINE + 2 * minute),
        (shows.camera_on, NINE + 4 * minute, None),
    ]
    for step, at, interrupted_at in steps:
        step(show.public_id, at)
        assert seen(show) == (ShowState.LIVE, interrupted_at)
    assert show.started_at == NINE
    assert (facts("ShowStarted"), facts("ShowInterrupted"), facts("ShowResumed")) == (1, 1, 1)


def test_a_camera_that_goes_before_the_show_began_changes_nothing(show: Show) -> None:
    shows.camera_off(show.public_id, NINE)
    assert seen(show) == (ShowState.SCHEDULED, None)


def test_an_ended_show_stays_ended(show: Show, world: World) -> None:
    shows.camera_on(show.public_id, NINE)
    shows.end_show(show.public_id, world.zhang)
    shows.end_show(show.public_id, world.zhang)
    shows.camera_on(show.public_id, NINE)
    shows.camera_off(show.public_id, NINE)
    assert seen(show) == (ShowState.ENDED, None)
    assert facts("ShowEnded") == 1


def test_only_its_people_end_a_show(show: Show, world: World) -> None:
    shows.camera_on(show.public_id, NINE)
    with pytest.raises(NotAllowed):
        shows.end_show(show.public_id, world.gao)
    with pytest.raises(NotFound):
        shows.end_show(new_id(), world.zhang)
    assert seen(show)[0] == ShowState.LIVE
    assert facts("ShowEnded") == 0


def test_a_show_without_a_camera_ends_after_ten_minutes(show: Show) -> None:
    shows.camera_on(show.public_id, NINE)
    shows.camera_off(show.public_id, NINE)
    with time_machine.travel(NINE + timedelta(minutes=9, seconds=59), tick=False):
        assert shows.end_abandoned() == 0
    with time_machine.travel(NINE + timedelta(minutes=10), tick=False):
        assert shows.end_abandoned() == 1
        assert shows.end_abandoned() == 0
    assert seen(show)[0] == ShowState.ENDED


def test_a_show_that_was_never_filmed_has_nothing_to_replay(show: Show, world: World) -> None:
    shows.end_show(show.public_id, world.zhang)
    close_recording(ShowEnded(show.public_id, NINE), new_id())
    found = playback(show.public_id)
    assert found is not None
    assert (found.state, found.live_url, found.replay_url) == ("empty", None, None)


def test_the_end_of_a_show_that_was_deleted_meanwhile_is_no_error(
    show: Show, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    Show.objects.filter(pk=show.pk).delete()
    close_recording(ShowEnded(show.public_id, NINE), new_id())
    hide_withheld(RecordingSealed(show.public_id, new_id(), 1.0), new_id())
    assert caplog.text.count(f"show {show.public_id} was deleted") == 2
    assert playback(show.public_id) is None


def test_a_restarted_server_seals_what_the_last_one_left_open(show: Show) -> None:
    take = with_take(show, seconds=4)
    empty = with_take(show, seconds=0)
    assert shows.seal_leftovers() == 2
    take.refresh_from_db()
    empty.refresh_from_db()
    assert (take.state, take.duration_s) == (TakeState.SEALED, 4)
    assert empty.state == TakeState.FAILED
    assert Recording.objects.get().state == RecordingState.LIVE


def test_a_restarted_server_knows_that_no_camera_is_on(show: Show) -> None:
    shows.camera_on(show.public_id, NINE)
    shows.seal_leftovers()
    show.refresh_from_db()
    assert (show.state, show.interrupted_at is None) == (ShowState.LIVE, False)


def test_a_restarted_server_makes_the_replay_of_a_show_that_ended_meanwhile(
    show: Show, world: World
) -> None:
    with_take(show, seconds=4)
    with_take(show, seconds=3, started_at=NINE + timedelta(minutes=1))
    shows.camera_on(show.public_id, NINE)
    shows.end_show(show.public_id, world.zhang)
    shows.seal_leftovers()
    shows.seal_leftovers()
    found = playback(show.public_id)
    assert found is not None
    assert (found.state, found.duration_s) == ("ready", 7)
    assert found.clock.media_s(NINE + timedelta(seconds=61)) == 5
    sealed = OutboxFact.objects.filter(type="media.RecordingSealed")
    assert [fact.data["duration_s"] for fact in sealed] == [7.0]


def kept_until(take: Take, moment: datetime) -> None:
    Take.objects.filter(pk=take.pk).update(kept_until=moment)
    take.kept_until = moment


def test_what_another_process_receives_is_left_to_it(show: Show) -> None:
    shows.camera_on(show.public_id, NINE)
    take = with_take(show, seconds=4)
    kept_until(take, now() + takes.KEPT_FOR)
    assert shows.seal_leftovers(alone=False) == 0
    take.refresh_from_db()
    assert take.state == TakeState.OPEN
    assert seen(show) == (ShowState.LIVE, None)


def test_what_a_killed_process_received_is_sealed_by_the_others(show: Show) -> None:
    shows.camera_on(show.public_id, NINE)
    take = with_take(show, seconds=4)
    kept_until(take, now() - timedelta(seconds=1))
    assert shows.seal_leftovers(alone=False) == 0
    kept_until(take, now() - takes.LEFT_FOR)
    assert shows.seal_leftovers(alone=False) == 1
    take.refresh_from_db()
    assert (take.state, take.duration_s) == (TakeState.SEALED, 4)
    assert facts("TakeStopped", "media") == 1


def test_a_show_whose_camera_nobody_tells_of_is_interrupted_by_whoever_lives(show: Show) -> None:
    shows.camera_on(show.public_id, now())
    shows.seal_leftovers(alone=False)
    assert seen(show) == (ShowState.LIVE, None)
    with time_machine.travel(now() + shows.UNTOLD_AFTER + timedelta(seconds=1), tick=False):
        shows.seal_leftovers(alone=False)
        assert seen(show) == (ShowState.LIVE, now())


def test_a_show_that_another_process_films_is_ended_by_that_one(show: Show, world: World) -> None:
    take = with_take(show, seconds=4)
    kept_until(take, now() + takes.KEPT_FOR)
    shows.end_show(show.public_id, world.zhang)
    shows.close_recording(show.public_id)
    shows.seal_leftovers(alone=False)
    assert Recording.objects.get().state == RecordingState.LIVE
    assert takes.keep(take) is takes.Kept.SHOW_IS_OVER
    kept_until(take, now() - timedelta(seconds=1))
    shows.seal_leftovers(alone=False)
    assert Recording.objects.get().state == RecordingState.READY


def test_a_camera_that_comes_to_another_process_gets_the_show_once_the_first_is_gone(
    show: Show,
) -> None:
    first = with_take(show, seconds=4)
    kept_until(first, now() + takes.KEPT_FOR)
    with pytest.raises(SomebodyBroadcasts):
        takes.open_take(first.recording, take_id=uuid.uuid4(), mime="video/webm")
    with pytest.raises(ServerStops):
        takes.open_take(first.recording, take_id=first.public_id, mime="video/webm")
    kept_until(first, now() - timedelta(seconds=1))
    again = takes.open_take(first.recording, take_id=first.public_id, mime="video/webm")
    assert (again.pk, again.position) == (first.pk, 0)
    assert takes.keep(first) is takes.Kept.LOST  # the process that was asleep meanwhile
    assert takes.keep(again) is takes.Kept.YES
    with pytest.raises(ServerStops):
        takes.open_take(first.recording, take_id=first.public_id, mime="video/webm")
    kept_until(first, now() - timedelta(seconds=1))
    second_id = uuid.uuid4()
    assert takes.finish_left(first.recording, but=second_id) == 1
    assert takes.keep(first) is takes.Kept.LOST
    with pytest.raises(TakeIsOver) as over:
        takes.open_take(first.recording, take_id=first.public_id, mime="video/webm")
    assert over.value.duration_s == 4
    second = takes.open_take(first.recording, take_id=second_id, mime="video/webm")
    assert takes.keep(second) is takes.Kept.YES


def test_a_key_is_for_one_show_and_half_a_day(show: Show) -> None:
    key = ingest_keys.issue(show)
    assert ingest_keys.show_of(key) == show.public_id
    later = datetime.now(UTC) + timedelta(hours=12, seconds=1)
    with time_machine.travel(later), pytest.raises(ingest_keys.KeyRefused):
        ingest_keys.show_of(key)


@pytest.mark.parametrize("key", ["", "made-up", "a:b:c"])
def test_a_made_up_key_is_refused(key: str) -> None:
    with pytest.raises(ingest_keys.KeyRefused):
        ingest_keys.show_of(key)
