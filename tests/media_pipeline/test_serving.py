"""The file server over real HTTP, under both of the servers that the product runs on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from core.clock import now
from media_pipeline.serving import cache_control
from media_pipeline.storage import LocalStorage, sign, storage

CONTENT = bytes(range(256)) * 4096  # a mebibyte: four blocks
ETAG = re.compile(r'"[0-9a-f]+-[0-9a-f]+"')
PUBLIC = "public/shows/s1/clip.mp4"
PRIVATE = "private/recordings/r1/live.m3u8"


@pytest.fixture(scope="session")
def files() -> LocalStorage:
    kept = storage()
    kept.write(PUBLIC, CONTENT)
    kept.write(PRIVATE, b"#EXTM3U\n")
    kept.write("private/recordings/r1/t1/00000.m4s", b"segment")
    kept.write("public/shows/s1/empty.jpg", b"")
    kept.path("public/shows/s1/outside.jpg").symlink_to("/etc/hostname")
    kept.path("public/shows/s1/inside.m3u8").symlink_to(kept.path(PRIVATE))
    return kept


def serve_command(server: str, port: int) -> list[str]:
    application = "livecommerce.asgi:application"
    if server == "daphne":
        return [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), application]
    options = ["--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"]
    return [sys.executable, "-m", "uvicorn", *options, application]


@pytest.fixture(scope="session", params=["daphne", "uvicorn"])
def web(request: pytest.FixtureRequest, files: LocalStorage) -> Iterator[httpx.Client]:
    """A client of a real server on the tests' own data folder and secret."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "livecommerce.settings",
        "LIVECOMMERCE_DATA": str(settings.DATA_ROOT),
    }
    line = serve_command(request.param, port)
    with subprocess.Popen(line, env=environment, cwd=Path(__file__).parents[2]) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
                wait_until_it_answers(client, process)
                yield client
        finally:
            process.terminate()


def wait_until_it_answers(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server stopped"
        with contextlib.suppress(httpx.TransportError):
            client.get("/media/none")
            return
    raise AssertionError("the server does not answer")


def test_a_file_is_sent_whole(web: httpx.Client) -> None:
    answer = web.get(f"/media/{PUBLIC}")
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ETAG.fullmatch(answer.headers["etag"])
    assert "access-control-allow-origin" not in answer.headers


def test_head_tells_without_sending(web: httpx.Client) -> None:
    answer = web.head(f"/media/{PUBLIC}")
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.content == b""


def test_an_empty_file_is_a_file(web: httpx.Client) -> None:
    answer = web.get("/media/public/shows/s1/empty.jpg")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=262143-262144", 262143, 262144),
        ("bytes=1048000-", 1048000, 1048575),
        ("bytes=-5", 1048571, 1048575),
        ("bytes=-9999999", 0, 1048575),
        ("bytes=10-99999999", 10, 1048575),
        ("bytes=5-9,20-29", 5, 9),
        ("bytes=9999999-,7-8", 7, 8),
        ("BYTES = 3-4", 3, 4),
    ],
)
def test_a_part_is_sent(web: httpx.Client, asked: str, first: int, last: int) -> None:
    answer = web.get(f"/media/{PUBLIC}", headers={"range": asked})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/1048576"
    assert answer.content == CONTENT[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=1048576-", "bytes=-0", "bytes=9-3", "bytes=2000000-,-0"])
def test_a_part_that_is_not_there_cannot_be_sent(web: httpx.Client, asked: str) -> None:
    answer = web.get(f"/media/{PUBLIC}", headers={"range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1048576"


@pytest.mark.parametrize("asked", ["bytes=", "bytes=a-b", "bytes=-", "lines=1-2", "5-9"])
def test_what_is_no_range_is_passed_over(web: httpx.Client, asked: str) -> None:
    answer = web.get(f"/media/{PUBLIC}", headers={"range": asked})
    assert (answer.status_code, len(answer.content)) == (200, len(CONTENT))


def test_what_the_client_has_is_not_sent_again(web: httpx.Client) -> None:
    known = web.head(f"/media/{PUBLIC}").headers
    for condition in (
        {"if-none-match": known["etag"]},
        {"if-none-match": f'"other", W/{known["etag"]}'},
        {"if-none-match": "*"},
        {"if-modified-since": known["last-modified"]},
    ):
        answer = web.get(f"/media/{PUBLIC}", headers=condition)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == known["etag"]


def test_what_has_changed_is_sent(web: httpx.Client) -> None:
    for condition in (
        {"if-none-match": '"other"'},
        {"if-modified-since": "Sat, 21 Nov 2020 09:00:00 GMT"},
        {"if-modified-since": "no date"},
    ):
        assert web.get(f"/media/{PUBLIC}", headers=condition).status_code == 200


def test_a_part_is_only_sent_of_the_version_that_the_client_knows(web: httpx.Client) -> None:
    known = web.head(f"/media/{PUBLIC}").headers
    part = {"range": "bytes=0-9"}
    for condition, status in (
        (known["etag"], 206),
        (known["last-modified"], 206),
        ('"other"', 200),
        ("Sat, 21 Nov 2020 09:00:00 GMT", 200),
    ):
        answer = web.get(f"/media/{PUBLIC}", headers={**part, "if-range": condition})
        assert answer.status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_files_can_only_be_read(web: httpx.Client, method: str) -> None:
    answer = web.request(method, f"/media/{PUBLIC}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/media/public/shows/s1/missing.mp4",
        "/media/public/shows/s1",
        "/media/public/shows/s1/",
        "/media/public/../private/recordings/r1/live.m3u8",
        "/media/public/%2e%2e/private/recordings/r1/live.m3u8",
        "/media/public/shows/%2e%2e%2f%2e%2e%2fsecret-key",
        "/media/public//etc/passwd",
        "/media/public/shows/s1/.hidden",
        "/media/public/shows/s1/clip.mp4%00.jpg",
        "/media/elsewhere/shows/s1/clip.mp4",
        "/media/s/1.x/public/shows/s1/clip.mp4",
    ],
)
def test_nothing_else_is_there(web: httpx.Client, path: str) -> None:
    # Not by httpx, which tidies paths up before it sends them.
    connection = HTTPConnection(web.base_url.host, web.base_url.port or 0, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path)
        assert connection.getresponse().status == 404


@pytest.mark.parametrize("link", ["outside.jpg", "inside.m3u8"])
def test_links_lead_nowhere(web: httpx.Client, link: str) -> None:
    assert web.get(f"/media/public/shows/s1/{link}").status_code == 404


def test_a_private_file_needs_a_signature(web: httpx.Client, files: LocalStorage) -> None:
    assert web.get(f"/media/{PRIVATE}").status_code == 403
    answer = web.get(files.url(PRIVATE))
    assert (answer.status_code, answer.content) == (200, b"#EXTM3U\n")


def test_a_signature_covers_what_the_playlist_names(web: httpx.Client, files: LocalStorage) -> None:
    playlist = httpx.URL(files.url(PRIVATE))
    answer = web.get(playlist.join("t1/00000.m4s"))
    assert (answer.status_code, answer.content) == (200, b"segment")


def test_a_signature_opens_nothing_else_and_not_for_ever(web: httpx.Client) -> None:
    soon = int((now() + timedelta(minutes=5)).timestamp())
    past = int((now() - timedelta(seconds=1)).timestamp())
    folder = "private/recordings/r1"
    for token in (
        f"{past}.{sign(folder, past)}",
        f"{soon + 1}.{sign(folder, soon)}",
        f"{soon}.{sign('private/recordings/r2', soon)}",
        f"{soon}.",
        "nonsense",
    ):
        assert web.get(f"/media/s/{token}/{PRIVATE}").status_code == 403


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("public/recordings/r/live.m3u8", "public, max-age=1"),
        ("private/recordings/r/live.m3u8", "private, max-age=1"),
        ("public/recordings/r/t/00001.m4s", "public, max-age=31536000, s-maxage=300, immutable"),
        ("private/recordings/r/t/init.mp4", "private, max-age=31536000, immutable"),
        ("private/clips/a/clip.mp4", "private, max-age=300"),
        ("public/products/p.jpg", "public, max-age=300"),
    ],
)
def test_how_long_an_answer_may_be_kept(key: str, expected: str) -> None:
    assert cache_control(key) == expected


def test_many_readers_at_once_all_get_the_file(web: httpx.Client) -> None:
    async def read_all() -> list[bytes]:
        async with httpx.AsyncClient(base_url=web.base_url, timeout=30) as client:
            answers = await asyncio.gather(*(client.get(f"/media/{PUBLIC}") for _ in range(40)))
        return [answer.content for answer in answers]

    assert asyncio.run(read_all()) == [CONTENT] * 40
