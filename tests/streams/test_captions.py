"""Captions of a replay over HTTP: written, saved once, read by viewers, and in its lessons."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from core.clock import now
from core.ids import new_id
from courses.services import authoring
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import cue
from media_pipeline.captions.models import CaptionTrack
from media_pipeline.models import Asset, AssetKind, AssetState, Recording, RecordingState
from media_pipeline.services.removal import remove_recording
from streams.models import Audience, Show, ShowState
from tests.world import World

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def recording(world: World) -> Recording:
    Show.objects.filter(pk=world.show.pk).update(state=ShowState.ENDED)
    return Recording.objects.create(
        show_id=world.show.public_id, is_public=True, state=RecordingState.READY, duration_s=60
    )


@pytest.fixture
def zhang(client: Client, world: World) -> Client:
    client.force_login(world.zhang)
    return client


@pytest.fixture
def path(world: World) -> str:
    return f"/api/v1/shows/{world.show.public_id}/captions"


def begun(client: Client, path: str, language: str = "en", **more: object) -> str:
    body = {"by": "hand", "language": language, **more}
    answer = client.post(path, body, content_type=JSON)
    assert answer.status_code == 201, answer.content
    return f"{path}/{answer.json()['id']}"


def put(client: Client, address: str, version: int, *cues: tuple[int, int, str]) -> Any:
    rows = [{"start_ms": start, "end_ms": end, "text": text} for start, end, text in cues]
    return client.put(address, {"version": version, "cues": rows}, content_type=JSON)


def test_what_is_saved_is_what_viewers_read(
    zhang: Client, world: World, recording: Recording, path: str
) -> None:
    address = begun(zhang, path)
    saved = put(zhang, address, 1, (0, 900, "Hello <script>alert(1)</script> --> you"))
    assert saved.json()["cues"][0]["text"] == "Hello  --> you".replace("  ", " ")
    viewer = Client()
    read = viewer.get(f"{address}.vtt")
    assert read["Content-Type"] == "text/vtt; charset=utf-8"
    assert read.content.decode() == ("WEBVTT\n\n00:00:00.000 --> 00:00:00.900\nHello --&gt; you\n")
    assert b"Hello -\xe2\x86\x92 you" in viewer.get(f"{address}.srt").content
    shown = viewer.get(f"/shows/{world.show.public_id}/").content.decode()
    assert f"{address}.vtt" in shown
    assert zhang.get(path).json()["tracks"][0]["changed_by"] == "Zhang"


def test_of_two_who_write_the_second_is_told(
    zhang: Client, world: World, recording: Recording, path: str
) -> None:
    address = begun(zhang, path)
    assert put(zhang, address, 1, (0, 900, "first")).json()["version"] == 2
    refused = put(zhang, address, 1, (0, 900, "second"))
    assert (refused.status_code, refused.json()["code"]) == (409, "captions_changed")
    assert zhang.get(address).json()["cues"][0]["text"] == "first"
    assert put(zhang, address, 2, (0, 900, "second")).status_code == 200


@pytest.mark.parametrize(
    "cues",
    [
        [(500, 400, "backwards")],
        [(0, 900, "one"), (800, 1000, "over it")],
        [(0, 61_000, "past the end")],
        [(0, 900, "x" * 501)],
    ],
)
def test_a_caption_that_cannot_be_is_named(
    zhang: Client, recording: Recording, path: str, cues: list[tuple[int, int, str]]
) -> None:
    address = begun(zhang, path)
    refused = put(zhang, address, 1, *cues)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == f"cues.{len(cues) - 1}"
    assert zhang.get(address).json() == {"version": 1, "cues": []}


def test_a_second_language_begins_with_the_times_of_the_first(
    zhang: Client, recording: Recording, path: str
) -> None:
    first = begun(zhang, path)
    put(zhang, first, 1, (0, 900, "apples"), (1000, 2000, "pears"))
    second = begun(zhang, path, "zh", like=first.rpartition("/")[2])
    times = [(one["start_ms"], one["end_ms"]) for one in zhang.get(second).json()["cues"]]
    assert times == [(0, 900), (1000, 2000)]
    again = zhang.post(path, {"by": "hand", "language": "zh"}, content_type=JSON)
    assert again.status_code == 409
    assert "中文" in again.json()["detail"]
    bad = zhang.post(path, {"by": "hand", "language": "../zh"}, content_type=JSON)
    assert bad.status_code == 422


def test_without_a_model_the_page_says_what_an_operator_can_do(
    zhang: Client, world: World, recording: Recording, path: str
) -> None:
    refused = zhang.post(path, {"by": "speech"}, content_type=JSON)
    assert refused.status_code == 409
    assert "LIVECOMMERCE_SPEECH_MODEL" in refused.json()["detail"]
    page = zhang.get(f"/studio/shows/{world.show.public_id}/captions/").content.decode()
    assert "LIVECOMMERCE_SPEECH_MODEL" in page
    assert not CaptionTrack.objects.exists()


def test_a_file_is_read_and_not_kept(zhang: Client, recording: Recording, path: str) -> None:
    data = "1\n00:00:01,000 --> 00:00:02,000\n苹果\n\n2\nlater\n".encode("gb18030")
    read = zhang.post(f"{path}/read", data, content_type="application/octet-stream").json()
    assert [one["text"] for one in read["cues"]] == ["苹果"]
    assert [one["line"] for one in read["problems"]] == [6]
    assert not CaptionTrack.objects.exists()


def test_a_lesson_has_the_captions_of_its_part(
    zhang: Client, world: World, recording: Recording, path: str
) -> None:
    put(zhang, begun(zhang, path), 1, (9000, 12_000, "we pick apples"), (30_000, 31_000, "later"))
    first, clip = (
        Asset.objects.create(
            kind=AssetKind.CLIP,
            recording=recording,
            is_public=True,
            start_s=start,
            end_s=start + 10,
            state=AssetState.READY,
            duration_s=10,
            created_by=world.zhang,
            consented_at=now(),
        )
        for start in (20, 10)
    )
    course = authoring.create_course(author=world.zhang, title="Picking")
    authoring.add_lesson(course, first, "The first one, which everybody may taste")
    lesson = authoring.add_lesson(course, clip, "How")
    authoring.publish(course)
    address = f"/api/v1/lessons/{lesson.public_id}"
    told = zhang.get(address).json()["captions"]
    assert told == [{"language": "en", "name": "English", "url": f"{address}/captions/en.vtt"}]
    text = zhang.get(told[0]["url"]).content.decode()
    assert text == "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\npick apples\n"
    stranger = Client()
    stranger.force_login(world.li)
    assert stranger.get(address).json()["captions"] == []
    assert stranger.get(told[0]["url"]).status_code == 409


def test_who_may_not_watch_may_not_read(
    zhang: Client, world: World, recording: Recording, path: str
) -> None:
    address = begun(zhang, path)
    Show.objects.filter(pk=world.show.pk).update(audience=Audience.INVITED)
    stranger = Client()
    stranger.force_login(world.gao)
    assert stranger.get(f"{address}.vtt").status_code == 403
    assert stranger.delete(address).status_code in {403, 404}
    other = f"/api/v1/shows/{new_id()}/captions/{address.rpartition('/')[2]}.vtt"
    assert zhang.get(other).status_code == 404
    assert zhang.get(f"{address}.exe").status_code == 404


def test_captions_go_with_their_recording(world: World, recording: Recording) -> None:
    track = tracks.begin(
        recording_id=recording.public_id, language="en", like=None, actor=world.zhang
    )
    tracks.save(track=track, version=1, cues=[cue(0, 900, "apples")], actor=world.zhang)
    tracks.cut(recording, [(0, 60)], 60)
    assert not CaptionTrack.objects.exists()
    tracks.begin(recording_id=recording.public_id, language="en", like=None, actor=world.zhang)
    remove_recording(world.show.public_id)
    assert not CaptionTrack.objects.exists()
