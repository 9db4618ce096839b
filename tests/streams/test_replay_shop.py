"""The replay as a shop: chapters, who may watch, removing a passage, and the download."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from core.accounts.models import User
from core.ids import new_id
from media_pipeline.events import PassageRemoved
from media_pipeline.models import Passage
from media_pipeline.services.recordings import enqueue_processing
from media_pipeline.serving import application
from media_pipeline.storage import storage
from media_pipeline.worker import run_waiting
from streams import access, replays
from streams.handlers import tell_replay_changed
from streams.models import Audience, Show
from streams.selectors import ReplayEntry
from streams.services import stopping
from streams.services.replays import set_audience
from tests.streams.replayed import replayed
from tests.world import World

pytestmark = [pytest.mark.ffmpeg, pytest.mark.django_db(transaction=True)]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def api(world: World, what: str) -> str:
    return f"/api/v1/shows/{world.show.public_id}/{what}"


@async_to_sync
async def media(address: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
        return await http.get(address)


def addresses(client: Client, world: World) -> list[str]:
    """The replay's playlist and every file that it names."""
    found = client.get(f"/shows/{world.show.public_id}/playback/").json()
    playlist: str = found["replay_url"]
    place = playlist.rpartition("/")[0]
    listed = re.findall(r'^(?!#)\S+|(?<=URI=")[^"]+', media(playlist).text, re.MULTILINE)
    return [playlist, *(f"{place}/{name}" for name in listed)]


def test_chapters_are_told_to_players_as_webvtt(world: World) -> None:
    replayed(world)
    response = Client().get(api(world, "chapters.vtt"))
    assert response["Content-Type"].startswith("text/vtt")
    assert response.content.decode() == (
        "WEBVTT\n\n"
        "1\n00:00:02.000 --> 00:00:05.000\nHuaniu apples, 5 kg box\n\n"
        "2\n00:00:05.000 --> 00:00:09.000\nSnow pears, 3 kg box\n\n"
        "3\n00:00:09.000 --> 00:00:12.000\nHuaniu apples, 5 kg box\n"
    )


def pinned(seq: int, media_s: float | None, title: str) -> ReplayEntry:
    offer = {"id": str(new_id()), "title": title, "price_minor": 1, "currency": "CNY"}
    data: dict[str, Any] = {"offer": offer}
    return ReplayEntry(seq, None, "", "product.pinned", data, media_s)


def test_what_was_pinned_before_the_first_picture_is_the_first_chapter() -> None:
    entries = [pinned(1, None, "a --> <b>"), pinned(2, 4, "b"), pinned(3, 4.1, "c")]
    found = replays.chapters(entries, 9)
    assert [(one.start_s, one.end_s, one.title) for one in found] == [
        (0, 4, "a --> <b>"),
        (4.1, 9, "c"),
    ]
    assert "a --&gt; &lt;b&gt;" in replays.chapters_vtt(found)


def test_a_private_show_is_gated_down_to_its_files(world: World) -> None:
    replayed(world)
    zhang, stranger = signed_in(world.zhang), Client()
    public = addresses(stranger, world)
    assert {media(one).status_code for one in public} == {200}
    changed = zhang.put(
        api(world, "audience"), {"audience": "unlisted"}, content_type="application/json"
    )
    assert changed.json() == {"audience": "unlisted"}
    assert {media(one).status_code for one in public} == {404}
    assert world.show.title not in Client().get("/").content.decode()
    signed = addresses(stranger, world)
    assert {media(one).status_code for one in signed} == {200}
    unsigned = re.sub(r"/media/s/[^/]+/", "/media/", signed[0])
    assert media(unsigned).status_code == 403
    zhang.put(api(world, "audience"), {"audience": "invited"}, content_type="application/json")
    assert stranger.get(f"/shows/{world.show.public_id}/playback/").status_code == 404
    assert Client().get(api(world, "chapters.vtt")).status_code in {401, 403}
    assert {media(one).status_code for one in addresses(zhang, world)} == {200}


def test_what_its_seller_made_private_is_not_public_when_an_operator_releases_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when both do it at once: the seller's word comes while the operator's is begun."""
    recording = replayed(world).recording
    stopping.stop_show(world.show.public_id, world.zhao, kind="harm", withhold=True)
    look = access.show_by_id

    def look_and_be_late(show_id: UUID) -> Show:
        found = look(show_id)
        set_audience(show=world.show, actor=world.zhang, audience=Audience.INVITED)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(access, "show_by_id", look_and_be_late)
        stopping.release(world.show.public_id, world.zhao)
    recording.refresh_from_db()
    assert not recording.is_public
    assert not storage().keys(f"public/recordings/{recording.public_id}")
    set_audience(show=world.show, actor=world.zhang, audience=Audience.PUBLIC)
    assert storage().keys(f"public/recordings/{recording.public_id}")


def test_a_passage_of_a_hidden_replay_goes_and_the_room_is_not_called_to_it(world: World) -> None:
    recording = replayed(world).recording
    stopping.stop_show(world.show.public_id, world.zhao, kind="harm", withhold=True)
    asked = {"id": str(new_id()), "edition": 0, "start_s": 3.2, "end_s": 3.8}
    told = signed_in(world.zhang).post(
        api(world, "removed-passages"), asked, content_type="application/json"
    )
    assert told.json()["done"]
    fact = PassageRemoved(world.show.public_id, recording.public_id, 11)
    tell_replay_changed(fact, new_id())  # there is no log here: to tell anybody would fail
    stopping.release(world.show.public_id, world.zhao)
    recording.refresh_from_db()
    assert (recording.is_public, round(recording.duration_s)) == (True, 11)
    assert {media(one).status_code for one in addresses(Client(), world)} == {200}


def gate(world: World, method: str, what: str, body: dict[str, Any] | None) -> Callable[..., int]:
    def status(client: Client) -> int:
        ask = getattr(client, method)
        return int(ask(api(world, what), body, content_type="application/json").status_code)

    return status


def test_only_its_host_changes_a_replay(world: World) -> None:
    replayed(world)
    passage = {"id": str(new_id()), "edition": 0, "start_s": 3, "end_s": 4}
    for ask in (
        gate(world, "put", "audience", {"audience": "unlisted"}),
        gate(world, "post", "removed-passages", passage),
    ):
        assert [ask(Client()), ask(signed_in(world.li)), ask(signed_in(world.gao))] == [
            401,
            403,
            403,
        ]
    assert signed_in(world.li).get(api(world, "download")).status_code == 403
    world.show.refresh_from_db()
    assert world.show.audience == Audience.PUBLIC
    assert not Passage.objects.exists()


def test_a_removed_passage_is_at_no_address_and_what_is_around_it_stays(world: World) -> None:
    replayed(world)
    zhang = signed_in(world.zhang)
    before = addresses(zhang, world)
    asked = {"id": str(new_id()), "edition": 0, "start_s": 3.2, "end_s": 3.8}
    for _tap in range(2):
        told = zhang.post(api(world, "removed-passages"), asked, content_type="application/json")
        assert told.status_code == 201
    passage = told.json()
    assert (passage["removed_s"], passage["by"], passage["done"]) == (1, "Zhang", True)
    dead = [one for one in before if media(one).status_code == 404]
    assert any(one.endswith("00003.m4s") for one in dead)
    assert {media(one).status_code for one in addresses(zhang, world)} == {200}
    found = zhang.get(api(world, "replay")).json()
    places = {one["data"].get("text"): one["media_s"] for one in found if one["media_s"]}
    assert places["hello"] == pytest.approx(1, abs=0.05)
    assert places["How heavy is a box?"] == pytest.approx(3, abs=0.05)
    assert places["goodbye"] == pytest.approx(9, abs=0.05)
    chapters = Client().get(api(world, "chapters.vtt")).content.decode()
    assert "00:00:04.000 --> 00:00:08.000\nSnow pears" in chapters


def test_a_page_that_is_not_up_to_date_is_told_to_look_again(world: World) -> None:
    replayed(world)
    zhang = signed_in(world.zhang)

    def remove(edition: int, start_s: float, end_s: float, **more: Any) -> Any:
        body = {"id": str(new_id()), "edition": edition, "start_s": start_s, "end_s": end_s, **more}
        return zhang.post(api(world, "removed-passages"), body, content_type="application/json")

    def edition() -> int:
        return int(zhang.get(api(world, "studio")).json()["recording"]["edition"])

    seen = edition()
    assert remove(seen, 1.2, 1.8).status_code == 201
    stale = remove(seen, 3.2, 3.8)
    assert (stale.status_code, stale.json()["code"]) == (409, "recording_changed")
    assert Passage.objects.count() == 1
    everything = remove(edition(), 0, 10.9)
    assert [one["field"] for one in everything.json()["errors"]] == ["whole"]
    assert remove(edition(), 0, 10.9, whole=True).status_code == 201
    page = zhang.get(f"/studio/shows/{world.show.public_id}/").content.decode()
    assert "All that was recorded in this show has been removed" in page
    assert page.count("Removed by Zhang") == 2
    room = Client().get(f"/shows/{world.show.public_id}/").content.decode()
    assert "The host has removed the recording" in room
    assert "Nothing was recorded" not in room


def test_the_seller_downloads_the_show_under_a_name_that_tells_it(world: World) -> None:
    recording = replayed(world).recording
    zhang = signed_in(world.zhang)
    enqueue_processing(recording.public_id)
    waiting = zhang.get(api(world, "download")).json()
    assert (waiting["state"], waiting["url"]) == ("waiting", None)
    run_waiting()
    ready = zhang.get(api(world, "download")).json()
    assert ready["url"].startswith("/media/s/")
    file = media(ready["url"])
    world.show.refresh_from_db()
    day = world.show.started_at + timedelta(hours=8) if world.show.started_at else None
    name = f"Apples straight from the tree {day:%Y-%m-%d}.mp4"
    assert ready["file_name"] == name
    assert f'attachment; filename="{name}"' in file.headers["content-disposition"]
    assert file.content[4:8] == b"ftyp"


def test_the_page_says_how_soon_the_replay_could_be_watched(world: World) -> None:
    recording = replayed(world).recording
    world.show.refresh_from_db()
    assert world.show.ended_at
    recording.sealed_at = world.show.ended_at + timedelta(seconds=0.75)
    recording.save()
    page = Client().get(f"/shows/{world.show.public_id}/").content.decode()
    assert 'data-replay-ready-s="0.750"' in page
