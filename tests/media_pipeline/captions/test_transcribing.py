"""From what is said in a recording to captions: by a real model, and whatever gets in its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict
from core.ids import new_id
from media_pipeline import control, jobs, worker
from media_pipeline.captions import speech, tracks, transcribing, whisper_program
from media_pipeline.captions.models import CaptionTrack, TrackState
from media_pipeline.captions.speech import NoModel, Said, Whisper, Word
from media_pipeline.captions.tracks import TRANSCRIBE, cues_of
from media_pipeline.ffmpeg import MediaCancelled
from media_pipeline.models import Job, JobState, Recording
from media_pipeline.services.settling import remove_passage
from tests.media_pipeline.footage import Footage, recording_of
from tests.speech import model, spoken
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


class Ears:
    """Hears one word in every second of a sound, and does `meanwhile` in the middle of each."""

    def __init__(self, language: str = "en") -> None:
        self.language, self.heard, self.words_a_second = language, 0, 1
        self.meanwhile: Callable[[], None] = lambda: None

    def listen(
        self, sound: Path, *, seconds: float, language: str, hints: str, stop: Callable[[], bool]
    ) -> Iterator[Said]:
        assert sound.read_bytes()[:4] == b"RIFF"
        self.heard += 1
        yield Said(language=language or self.language)
        self.meanwhile()
        for second in range(round(seconds) * self.words_a_second):
            if stop():
                raise MediaCancelled("stopped")
            yield Said(words=[Word(second + 0.1, second + 0.2, f" word{second}.")])


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> Ears:
    found = Ears()
    monkeypatch.setattr(speech, "listener", lambda: found)
    return found


def asked(world: World, recording: Recording, language: str = "") -> CaptionTrack:
    return tracks.transcribe(
        recording_id=recording.public_id, language=language, hints="Lixian", actor=world.zhang
    )


def run() -> None:
    worker.run_waiting({TRANSCRIBE: worker.TASKS[TRANSCRIBE]})


def lines(track: CaptionTrack) -> list[tuple[int, str]]:
    track.refresh_from_db()
    return [(one.start_ms, one.text) for one in cues_of(track)]


def test_what_is_said_in_two_takes_can_be_read_where_it_is_heard(
    world: World, settings: Any
) -> None:
    settings.SPEECH_MODEL = str(model())
    first = Footage(seconds=3, says=("Good morning everybody.", "en"))
    second = Footage(seconds=5, says=("Each box weighs five kilograms.", "en"))
    recording = recording_of(world.show, first, second)
    track = asked(world, recording)
    run()
    (morning, weight) = cues_of(CaptionTrack.objects.get(pk=track.pk))
    track.refresh_from_db()
    assert (track.state, track.language, track.is_automatic) == (TrackState.READY, "en", True)
    assert "good morning" in morning.text.lower()
    assert morning.end_ms <= 3000 <= weight.start_ms
    # "Box" is a "mark" on some processors: how well it hears is measured by bench-captions.
    assert "kilograms" in weight.text.lower()
    moments = {text.strip(" .,").lower(): since for since, _until, text in weight.words()}
    assert 3000 <= moments["each"] < moments["weighs"] < moments["kilograms"] < 6000
    assert Job.objects.get(kind=TRANSCRIBE).priority == jobs.Priority.BACK_CATALOGUE


def test_the_program_that_listens_stops_at_once() -> None:
    stop = threading.Event()
    heard = Whisper(model()).listen(
        spoken("Good morning everybody.", "en"),
        seconds=3,
        language="en",
        hints="",
        stop=stop.is_set,
    )
    assert next(heard).language == "en"  # it is in the middle of it
    stop.set()
    asked_at = time.monotonic()
    with pytest.raises(MediaCancelled):
        list(heard)
    assert time.monotonic() - asked_at < 1


def test_a_folder_that_holds_no_model_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"apples")
    with pytest.raises(NoModel, match="cannot be read"):
        list(
            Whisper(tmp_path).listen(
                spoken("Good morning everybody.", "en"),
                seconds=3,
                language="",
                hints="",
                stop=lambda: False,
            )
        )


def test_without_a_model_the_job_says_what_an_operator_can_do(world: World) -> None:
    track = asked(world, recording_of(world.show, Footage()))
    run()
    assert "LIVECOMMERCE_SPEECH_MODEL" in Job.objects.get(kind=TRANSCRIBE).error
    track.refresh_from_db()
    assert track.state == TrackState.WAITING  # tried again, as an operator may put one there


def test_a_model_that_does_not_fit_into_memory_is_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    monkeypatch.setattr("media_pipeline.room.memory", lambda: 500 * 2**20)
    with pytest.raises(NoModel, match="choose a smaller model"):
        list(Whisper(tmp_path).listen(tmp_path, seconds=1, language="", hints="", stop=bool))


def test_a_worker_that_comes_after_goes_on_where_the_last_one_was(
    world: World, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcribing, "jobs_at_once", lambda: 1)
    track = asked(world, recording_of(world.show, Footage(), Footage(seconds=3)))

    def someone_needs_a_lesson() -> None:
        jobs.enqueue("make_clip", new_id(), priority=jobs.Priority.CLIP)
        ears.meanwhile = lambda: None

    ears.meanwhile = someone_needs_a_lesson
    run()
    track.refresh_from_db()
    assert (track.state, track.heard_ms, ears.heard) == (TrackState.WAITING, 4000, 1)
    job = Job.objects.get(kind=TRANSCRIBE)
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)

    Job.objects.filter(kind="make_clip").delete()
    Job.objects.update(run_after=None)
    run()
    assert ears.heard == 2
    assert [at_ms for at_ms, _text in lines(track)] == [n * 1000 + 100 for n in range(7)]


def test_only_one_listens_at_a_time_on_a_machine(world: World, ears: Ears) -> None:
    asked(world, recording_of(world.show, Footage()))
    with speech.alone() as mine:
        assert mine
        run()
    job = Job.objects.get(kind=TRANSCRIBE)
    assert (job.state, ears.heard, job.attempts) == (JobState.QUEUED, 0, 0)
    assert job.run_after


def test_what_a_zombie_heard_is_not_kept(world: World, ears: Ears) -> None:
    track = asked(world, recording_of(world.show, Footage()))
    ears.meanwhile = lambda: control.cancel(Job.objects.get(kind=TRANSCRIBE), world.zhang)
    run()
    track.refresh_from_db()
    assert (track.state, track.cues, track.error) == (TrackState.FAILED, [], "It was cancelled.")

    ears.meanwhile = lambda: None
    asked(world, track.recording)  # the same track is asked for again
    run()
    track.refresh_from_db()
    assert (track.state, len(track.cues)) == (TrackState.READY, 4)


def test_a_passage_that_goes_meanwhile_takes_its_words_along(world: World, ears: Ears) -> None:
    recording = recording_of(world.show, Footage(seconds=4), Footage(seconds=4))
    track = asked(world, recording)

    def remove() -> None:
        ears.meanwhile = lambda: None
        remove_passage(
            passage_id=new_id(),
            recording_id=recording.public_id,
            edition=recording.edition,
            start_s=1.3,
            end_s=1.6,
            actor=world.zhang,
        )

    ears.meanwhile = remove
    run()
    recording.refresh_from_db()
    assert 6 <= recording.duration_s < 8
    track.refresh_from_db()
    assert track.state == TrackState.READY
    cues = cues_of(track)
    assert cues[-1].end_ms <= recording.duration_s * 1000 + 1
    assert "word1." not in [one.text for one in cues if one.start_ms < 1000]


def test_where_nobody_speaks_that_is_said(world: World, ears: Ears) -> None:
    ears.words_a_second = 0
    track = asked(world, recording_of(world.show, Footage()))
    run()
    track.refresh_from_db()
    assert track.state == TrackState.FAILED
    assert "could be understood" in track.error
    assert Job.objects.get(kind=TRANSCRIBE).state == JobState.FAILED


def test_a_language_that_has_captions_already_is_said(world: World, ears: Ears) -> None:
    recording = recording_of(world.show, Footage())
    tracks.begin(recording_id=recording.public_id, language="en", like=None, actor=world.zhang)
    with pytest.raises(Conflict, match="English"):
        asked(world, recording, "en")
    track = asked(world, recording)
    run()
    track.refresh_from_db()
    assert track.state == TrackState.FAILED
    assert "English" in track.error


def test_chinese_is_written_in_simplified_characters() -> None:
    # Without hints the model of the tests writes most of it in traditional ones.
    written = whisper_program.writing("zh")
    assert written("關於這個農場，乾淨") == "关于这个农场，干净"
    assert whisper_program.writing("ja")("農場") == "農場"
