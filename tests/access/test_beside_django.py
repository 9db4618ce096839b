"""What is answered before or beside Django's URLs: probes, media servers, and media files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from core.clock import now
from livecommerce import health
from media_pipeline import serving
from media_pipeline.storage import storage
from media_pipeline.storage_keys import address
from streams import encoder_hooks
from tests.world import World

HERE, AFAR = "127.0.0.1", "203.0.113.7"
# From this machine, from another one, and from here through a proxy that says so.
PLACES: tuple[dict[str, Any], ...] = (
    {"REMOTE_ADDR": HERE},
    {"REMOTE_ADDR": AFAR},
    {"REMOTE_ADDR": HERE, "HTTP_VIA": "1.1 proxy"},
)
ASKED = {
    "/healthz": [200, 200, 200],
    "/readyz": [200, 200, 200],
    "/metrics": [200, 404, 404],
    "/hooks/rtmp": [405, 404, 404],
    "/hooks/mediamtx/auth": [405, 404, 404],
    "/hooks/mediamtx/ready": [405, 404, 404],
    "/hooks/mediamtx/gone": [405, 404, 404],
}
PUBLIC, PRIVATE = "public/recordings/a1/x.jpg", "private/claims/a1/1.jpg"


def test_machines_are_answered_by_where_they_ask_from(client: Client, world: World) -> None:
    paths = [*health.ANSWERS, *encoder_hooks.ANSWERS]
    found = {path: [client.get(path, **place).status_code for place in PLACES] for path in paths}
    assert found == ASKED


async def status(path: str, method: str = "GET") -> int:
    scope = {"type": "http", "path": path, "method": method, "headers": [], "query_string": b""}
    said: list[int] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Future()  # as of a server whose visitor stays: nothing more comes
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        said.extend([message["status"]] if "status" in message else [])

    await serving.application(scope, receive, send)
    return said[0]


@pytest.fixture
def files() -> None:
    for key in (PUBLIC, PRIVATE, "private/claims/b2/1.jpg"):
        storage().write(key, b"a picture")


def of_another(signed: str) -> str:
    return signed.replace("/a1/", "/b2/")


def guessed(signed: str) -> str:
    token = signed.split("/")[3]
    return signed.replace(token, token[:-1] + ("0" if token[-1] != "0" else "1"))


def unsigned(signed: str) -> str:
    return f"/media/{PRIVATE}"


def of_what_is_public(signed: str) -> str:
    return signed.replace("/private/", "/public/")


def beside_it(signed: str) -> str:
    return signed.replace("/1.jpg", "/../b2/1.jpg")


@pytest.mark.usefixtures("files")
async def test_a_signed_address_opens_its_own_folder_for_its_time() -> None:
    signed = address(PRIVATE, expires_s=60)
    assert await status(f"/media/{PUBLIC}") == 200
    assert await status(signed) == 200
    assert await status(signed, "PUT") == 405
    with time_machine.travel(now() + timedelta(hours=1), tick=False):
        assert await status(signed) == 403


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("lie", [of_another, guessed, unsigned, of_what_is_public, beside_it])
async def test_another_address_opens_nothing(lie: Callable[[str], str]) -> None:
    assert await status(lie(address(PRIVATE))) in {403, 404}


@pytest.mark.parametrize("path", ["/media/u/guessed", "/media/u/", "/media/u/1.2.3/../x"])
async def test_a_part_comes_in_with_a_ticket_alone(path: str) -> None:
    assert await status(path, "PUT") == 403
    assert await status(path) == 405
