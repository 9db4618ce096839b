"""Whatever a client sends, it gets an answer or a documented close, and the room lives on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from core.errors import AppError
from streams import consumers
from streams.client import Refused, RoomClient, RoomClosed
from streams.commands import ACTIONS, Speaker
from streams.protocol import CLOSE_CODES, COMMANDS, ERROR_CODES, LONGEST_FRAME, Command, Ping
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
        assert "at_ms" in await rude.command("ping")
        await li.command("chat.send", text="all quiet here")
        await rude.event("chat.message")


rude_frames = st.one_of(
    st.binary(max_size=300),
    frames,
    st.sampled_from([text for text in NASTY if "\ud800" not in text]),
    st.sampled_from(["x" * (1 << 20), "[" * (1 << 20), b"\x00" * (1 << 20)]),
    st.lists(st.just('{"id": 7, "do": "ping"}'), min_size=2, max_size=5),  # a repeated id
)
DOCUMENTED = {*CLOSE_CODES, 1000, 1007, 1009}


def rude_batches(count: int) -> list[list[Any]]:
    """As many drawn batches, the same in every run: each needs the event loop of the test."""
    drawn: list[list[Any]] = []

    @settings(max_examples=count, deadline=None, database=None, derandomize=True)
    @given(st.lists(rude_frames, min_size=1, max_size=12))
    def draw(batch: list[Any]) -> None:
        drawn.append(batch)

    draw()
    return drawn


async def be_rude(rude: RoomClient, batch: list[Any]) -> None:
    for frame in batch:
        for one in frame if isinstance(frame, list) else [frame]:
            await send_all(rude, [one])
    await rude.command("ping")


async def test_nobody_notices_what_somebody_else_sends(site: str, world: World) -> None:
    """Batches of rude frames; meanwhile a conversation goes on, and nobody misses a word of it."""
    batches = rude_batches(60)
    texts = [f"line {number}" for number in range(20)]
    async with room(site, world) as quiet, room(site, world, world.zhang) as host:

        async def talk() -> None:
            for text in texts:
                await host.command("chat.send", text=text)

        talking = asyncio.create_task(talk())
        for batch in batches:
            rude = room(site, world)
            await rude.open()
            with contextlib.suppress(RoomClosed, Refused):
                await be_rude(rude, batch)
            assert rude.close_code in {None, *DOCUMENTED}
            assert {error["code"] for error in rude.stray_errors} <= set(ERROR_CODES)
            await rude.close()
        await talking
        await quiet.until(lambda: quiet.seq >= len(texts))
        assert [event["data"]["text"] for event in quiet.events] == texts
        assert quiet.hellos == 1


@pytest.mark.parametrize("first", ["x" * (1 << 20), "{}", "null", b"\x00", '{"ticket": 7}', "["])
async def test_a_first_frame_that_says_nothing_is_answered_and_closed(
    site: str, world: World, first: str | bytes
) -> None:
    async with connect(f"ws://{site}/ws/shows/{world.show.public_id}/", proxy=None) as socket:
        await socket.send(first)
        answer = json.loads(await socket.recv())
        assert answer["error"]["code"] == "invalid_input"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4401


async def test_a_thousand_commands_at_once_wait_in_a_short_queue(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one command takes its time, the others do not pile up in memory without a limit."""
    waiting: list[int] = []
    goes_on = asyncio.Event()

    async def slow(speaker: Speaker, command: Command) -> dict[str, Any]:
        await goes_on.wait()
        return {}

    take = consumers.Visit._take

    def watched(visit: consumers.Visit, speaker: Speaker, text: str | None) -> None:
        take(visit, speaker, text)
        waiting.append(len(visit._commands))

    monkeypatch.setitem(cast(dict[Any, Any], ACTIONS), Ping, slow)
    monkeypatch.setattr(consumers.Visit, "_take", watched)
    async with room(site, world) as rude, room(site, world) as other:
        with contextlib.suppress(RoomClosed):
            for number in range(1, 1001):
                await rude.send_text(json.dumps({"id": number, "do": "ping"}))
        await until(lambda: rude.close_code is not None)
        assert rude.close_code == 4429
        assert max(waiting) == consumers.WAITING_AT_MOST
        goes_on.set()
        assert await other.command("ping") == {}


async def test_commands_are_done_in_the_order_in_which_they_came(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        said = [host.command("chat.send", text=f"line {number}") for number in range(20)]
        answers = await asyncio.gather(*said)
        assert [answer["seq"] for answer in answers] == list(range(1, 21))


async def test_a_command_that_fails_by_our_fault_closes_only_its_own_socket(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(speaker: Speaker, command: Command) -> dict[str, Any]:
        raise KeyError("a fault of ours")

    async with room(site, world) as unlucky, room(site, world) as other:
        monkeypatch.setitem(cast(dict[Any, Any], ACTIONS), Ping, broken)
        with pytest.raises(RoomClosed) as closed:
            await unlucky.command("ping")
        assert closed.value.code == 4503
        assert unlucky.close_reason.startswith("retry_after=")
        monkeypatch.undo()
        assert "at_ms" in await other.command("ping")


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
