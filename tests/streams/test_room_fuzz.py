"""Whatever a client sends, it gets an answer or a documented close, and the room lives on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import AppError
from streams.client import RoomClient
from streams.protocol import COMMANDS, ERROR_CODES, LONGEST_FRAME, Command
from streams.reading import FrameRefused, read_command
from tests.realtime import until
from tests.streams.test_room import room
from tests.world import World

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
envelopes = st.fixed_dictionaries(
    {},
    optional={
        "id": json_values,
        "do": st.sampled_from([*COMMANDS, "fly"]) | json_values,
        "data": st.dictionaries(
            st.sampled_from(["text", "seq", "kind", "offer_id", "user_id", "key", "delivery"]),
            json_values,
        )
        | json_values,
        "extra": json_values,
    },
)
frames = st.one_of(st.text(max_size=200), envelopes.map(json.dumps), json_values.map(json.dumps))

NASTY = [
    "",
    "nul",
    "{",
    "[" * 10_000,
    '{"id":' * 2_000,
    '{"id": 1, "do": "ping", "data": ' + "[" * 8_000 + "]" * 8_000 + "}",
    '{"id": 1, "do": "ping", "data": null}',
    '{"id": 1, "do": "chat.send", "data": {"text": "\\ud800"}}',
    '{"id": 1e400, "do": "ping"}',
    '{"id": -1, "do": "ping"}',
    '{"id": 99999999999999999999999, "do": "ping"}',
    '{"id": true, "do": "ping"}',
    '{"id": 1, "id": 2, "do": "ping", "do": 3}',
    '{"id": 1, "do": "__class__"}',
    "\ufeff{}",
    "x" * (LONGEST_FRAME + 1),
]


def outcome(text: str) -> Command | AppError:
    try:
        return read_command(text)[1]
    except FrameRefused as refused:
        return refused.error


@settings(max_examples=200, deadline=None)
@given(frames)
def test_a_frame_is_a_command_or_refused_with_a_documented_code(text: str) -> None:
    found = outcome(text)
    assert getattr(found, "do", None) in COMMANDS or getattr(found, "code", None) in ERROR_CODES


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_nasty_frames_are_refused(text: str) -> None:
    with pytest.raises(FrameRefused):
        read_command(text)


@pytest.mark.parametrize(
    ("frame", "code", "field", "command_id"),
    [
        ({"id": 7, "do": "fly"}, "unknown_command", "do", 7),
        ({"id": 7, "do": "ping", "extra": 1}, "invalid_input", "extra", 7),
        ({"id": 7, "data": {}}, "invalid_input", "do", 7),
        ({"id": "7", "do": "ping"}, "invalid_input", "id", None),
        ({"do": "ping"}, "invalid_input", "id", None),
        ({"id": 7, "do": "chat.send", "data": {}}, "invalid_input", "text", 7),
        ({"id": 7, "do": "chat.send", "data": {"text": 5}}, "invalid_input", "text", 7),
        ({"id": 7, "do": "chat.send", "data": {"text": "a", "to": "b"}}, "invalid_input", "to", 7),
        ({"id": 7, "do": "chat.remove", "data": {"seq": 0}}, "invalid_input", "seq", 7),
        ({"id": 7, "do": "viewer.mute", "data": {"user_id": "x"}}, "invalid_input", "user_id", 7),
        ({"id": 7, "do": "react", "data": {"kind": "hate"}}, "invalid_input", "kind", 7),
    ],
)
def test_a_refusal_names_the_field_and_the_command(
    frame: dict[str, Any], code: str, field: str, command_id: int | None
) -> None:
    with pytest.raises(FrameRefused) as refused:
        read_command(json.dumps(frame))
    assert (refused.value.error.code, refused.value.error.field) == (code, field)
    assert refused.value.command_id == command_id


async def send_all(client: RoomClient, sent: list[str | bytes]) -> None:
    for frame in sent:
        if isinstance(frame, bytes):
            await client.send_bytes(frame)
        else:
            await client.send_text(frame)


async def test_the_room_outlives_a_fuzzing_client(site: str, world: World) -> None:
    """Over the real socket: as many answers as frames, and the others notice nothing."""
    plain = [text for text in NASTY if "\ud800" not in text]
    async with room(site, world) as rude, room(site, world, world.li) as li:
        sent: list[str | bytes] = [*plain, b"\x00\x01", b"", *plain[:10]]
        await send_all(rude, sent)
        answered = len(sent)
        await rude.until(lambda: len(rude.stray_errors) + len(rude.unasked) >= answered)
        assert {error["code"] for error in rude.stray_errors} <= set(ERROR_CODES)
        assert await rude.command("ping") == {}
        await li.command("chat.send", text="all quiet here")
        await rude.event("chat.message")


async def test_a_flood_is_slowed_down_and_then_thrown_out(site: str, world: World) -> None:
    async with room(site, world) as rude, room(site, world, world.li) as li:

        async def flood() -> None:
            while rude.close_code is None:
                await asyncio.gather(*(rude.send_text("{}") for _ in range(50)))

        flooding = asyncio.ensure_future(flood())
        await until(lambda: rude.close_code is not None)
        await asyncio.wait([flooding])
        flooding.exception()
        assert rude.close_code in (4408, 4429)
        assert "too_many" in {error["code"] for error in rude.stray_errors}
        await li.command("chat.send", text="still here")
