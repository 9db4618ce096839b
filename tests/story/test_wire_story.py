"""The same afternoon without a browser: `livecommerce broadcast`, a socket client and HTTP."""

from __future__ import annotations

import asyncio
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from media_pipeline.ffmpeg import ffmpeg_path
from streams.client import Refused, RoomClient
from tests.server import ROOT, Server, running_instance
from tests.story.people import Person, links

pytestmark = pytest.mark.ffmpeg

HOME = {
    "kind": "courier",
    "name": "Li Na",
    "phone": "13800001111",
    "address": "18 Binhe Road, Lanzhou",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_instance(tmp_path_factory.mktemp("wire")) as running:
        yield running


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of H.264 and AAC, as a phone's gallery holds them."""
    path = tmp_path_factory.mktemp("film") / "apples.mp4"
    command = [ffmpeg_path(), "-v", "error"]
    command += ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=20"]
    command += ["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000:duration=20"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"]
    command += ["-c:a", "aac", "-shortest", str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


async def test_a_file_goes_in_and_a_sale_and_a_certificate_come_out(
    server: Server, film: Path
) -> None:
    zhang, li, wang = (Person(server.url, name) for name in ("zhang", "li", "wang"))
    show_id = scheduled_show(zhang)
    camera = await asyncio.create_subprocess_exec(
        *server.command("broadcast", str(film), "--show", show_id, "--url", server.url),
        env=server.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    await selling(zhang, li, show_id)
    said, _nothing = await asyncio.wait_for(camera.communicate(), 60)
    assert camera.returncode == 0, said.decode()
    await ending(zhang, li, show_id)
    check_replay(li, show_id)
    lesson = await cutting(zhang, show_id)
    certificate = learning(wang, lesson)
    page = (await asyncio.to_thread(httpx.get, server.url + certificate)).text
    assert 'data-verdict="valid"' in page
    assert "Wang" in page


def scheduled_show(zhang: Person) -> str:
    shown = links(zhang.get("/studio/").text, r"/studio/shows/[0-9a-f-]{36}/")
    return shown[0].split("/")[3]


async def selling(zhang: Person, li: Person, show_id: str) -> None:
    """Zhang pins apples, Li asks, and buys twice with one key: both see one order."""
    async with zhang.room(show_id) as host, li.room(show_id) as viewer:
        if host.snapshot["show"]["state"] != "live":
            await host.event("show.started", patience_s=30)
        await viewer.command("chat.send", text="How heavy is a box?")
        assert (await host.event("chat.message"))["data"]["text"] == "How heavy is a box?"
        apples = viewer.snapshot["offers"][0]
        assert apples["available"] == 40
        await host.command("product.pin", offer_id=apples["id"])
        assert (await viewer.event("product.pinned"))["data"]["offer"]["id"] == apples["id"]
        await buying(viewer, apples)
        for room in (host, viewer):
            assert (await room.event("order.placed"))["data"]["buyer"] == "L**"
            assert (await room.event("stock.changed"))["data"]["available"] == 38
        assert [e["type"] for e in viewer.events].count("order.placed") == 1


async def buying(viewer: RoomClient, apples: dict[str, Any]) -> None:
    line = {"offer_id": apples["id"], "quantity": 2, "price_minor": apples["price_minor"]}
    intent = {"key": str(uuid.uuid4()), "lines": [line], "delivery": HOME}
    first, repeated = [await viewer.command("order.place", **intent) for _ in range(2)]
    assert first == repeated
    too_many = {"key": str(uuid.uuid4()), "lines": [line | {"quantity": 39}]}
    with pytest.raises(Refused, match="sold_out"):
        await viewer.command("order.place", **intent | too_many)


async def ending(zhang: Person, li: Person, show_id: str) -> None:
    async with li.room(show_id) as viewer:
        zhang.do("POST", f"shows/{show_id}/end")
        await viewer.event("show.ended")
        ready = await viewer.event("replay.ready")
        assert ready["data"]["duration_s"] == pytest.approx(20, abs=1)


def check_replay(li: Person, show_id: str) -> None:
    """What happened lies inside the video, in order, and the video is whole."""
    entries = li.do("GET", f"shows/{show_id}/replay")
    at_s = {entry["type"]: entry["media_s"] for entry in entries}
    assert 0 <= at_s["chat.message"] <= at_s["product.pinned"] <= at_s["order.placed"] < 20
    playlist = li.get(li.get(f"/shows/{show_id}/playback/").json()["replay_url"]).text
    seconds = [float(length) for length in re.findall(r"#EXTINF:([0-9.]+)", playlist)]
    assert sum(seconds) == pytest.approx(20, abs=1) or "#EXT-X-STREAM-INF" in playlist


async def cutting(zhang: Person, show_id: str) -> str:
    """A clip of five seconds becomes a lesson in a new course; the lesson's page."""
    recording = zhang.do("GET", f"shows/{show_id}/studio")["recording"]
    clip = zhang.do(
        "POST",
        f"recordings/{recording['id']}/clips",
        edition=recording["edition"],
        start_s=2,
        end_s=7,
        title="How heavy is a box",
    )
    await done(zhang, clip["job_id"])
    asked = zhang.do("GET", f"clips/{clip['id']}/consent")
    said = {name: asked[name] for name in ("version", "language")}
    zhang.do("PUT", f"clips/{clip['id']}/consent", **said)
    course = zhang.do("POST", "courses", title="Selling apples")
    lesson = zhang.do(
        "POST", f"courses/{course['id']}/lessons", asset_id=clip["id"], title="How heavy is a box"
    )
    zhang.do("POST", f"courses/{course['id']}/publish")
    page: str = lesson["url"]
    return page


async def done(person: Person, job_id: str) -> None:
    async with asyncio.timeout(90):
        while (job := person.do("GET", f"jobs/{job_id}"))["state"] != "done":
            assert job["state"] in {"queued", "running"}, job
            await asyncio.sleep(0.3)


def learning(wang: Person, lesson_page: str) -> str:
    """Wang enrols and watches all of it; the certificate's page."""
    _root, _learn, course_id, lesson_id, _end = lesson_page.split("/")
    wang.do("POST", f"courses/{course_id}/enrol")
    video = wang.do("GET", f"lessons/{lesson_id}")
    assert video["duration_s"] == pytest.approx(5, abs=0.5)
    film = wang.get(video["media_url"], headers={"Range": "bytes=0-99"})
    assert film.status_code == httpx.codes.PARTIAL_CONTENT
    halves = [[0, 3], [3, video["duration_s"]]]
    for half in halves:
        answer = wang.do(
            "POST", f"lessons/{lesson_id}/watched", intervals=[half], position_s=half[1]
        )
    assert answer["certificate_url"]
    certificate: str = answer["certificate_url"]
    shown = wang.post(f"{certificate}show/", data={"shows_name": "on"})
    assert shown.status_code == httpx.codes.FOUND
    return certificate
