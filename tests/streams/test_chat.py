"""What may be said, by whom and how often, and what it costs."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.models import Role, RoleGrant, User
from core.accounts.proof import Proof
from core.clock import now
from core.errors import AppError, NotFound
from core.realtime import runtime as running
from core.realtime import tickets
from core.realtime.db import run_in_db
from core.realtime.runtime import Runtime
from streams import watch
from streams.client import Refused, RoomClient
from streams.commands import Speaker, act
from streams.models import Mute, Show, ShowState
from streams.protocol import ChatSend
from streams.services import chat, words
from streams.services.chat import Standing, has_link, is_question
from streams.services.words import Words
from tests.realtime import until
from tests.streams.test_room import apples, change
from tests.world import World


def room(site: str, world: World, user: User) -> RoomClient:
    ticket = tickets.issue(user.public_id)
    return RoomClient(f"ws://{site}", world.show.public_id, ticket=ticket)


async def refusal(client: RoomClient, text: str, **more: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        await client.command("chat.send", text=text, **more)
    return refused.value


# What is said


async def test_a_blocked_word_is_refused_and_hosts_may_say_it(site: str, world: World) -> None:
    await run_in_db(lambda: words.block(seller=world.farm, actor=world.zhang, word="加微信"))
    async with room(site, world, world.li) as li, room(site, world, world.zhang) as host:
        refused = await refusal(li, "便宜，加 微.信")
        assert (refused.code, refused.error["field"]) == ("blocked_word", "text")
        assert "微" not in refused.error["message"]
        await host.command("chat.send", text="别加微信！")
        await li.command("chat.send", text="微信可以付吗")
        await li.until(lambda: li.seq == 2)
        assert len(li.events) == 2


async def test_a_word_of_another_seller_is_none_here(site: str, world: World) -> None:
    await run_in_db(lambda: words.block(seller=world.other_farm, actor=world.gao, word="apples"))
    async with room(site, world, world.li) as li:
        await li.command("chat.send", text="nice apples")


async def test_new_accounts_send_no_links_until_they_have_a_part_in_something(
    site: str, world: World
) -> None:
    async with room(site, world, world.li) as li:
        refused = await refusal(li, "see www.cheap.example")
        assert (refused.code, refused.error["field"]) == ("links_not_allowed", "text")
        assert refused.error["details"] == {"after_days": 7}
        await li.command("order.place", **apples(world))
        running_chat(world).changed()
        await li.command("chat.send", text="mine looked like this: example.com/box")


@pytest.mark.parametrize("name", ["zhang", "zhao", "chen", "wang", "gao"])
async def test_who_is_known_sends_links(site: str, world: World, name: str) -> None:
    async with room(site, world, getattr(world, name)) as client:
        await client.command("chat.send", text="https://example.com")


async def test_an_account_grows_old_enough_for_links(site: str, world: World) -> None:
    await change(world.li, date_joined=now() - timedelta(days=7, minutes=1))
    async with room(site, world, world.li) as li:
        await li.command("chat.send", text="example.com")


@pytest.mark.parametrize(
    "text",
    [
        "http://a.example",
        "HTTPS://x.y",
        "weixin://dl/chat",
        "www.example.org",
        "go to foo.com now",
        "看foo.com吧",
        "FOO.CN/path?x=1",
        "shop.foo.com.cn",
        "ｆｏｏ．ｃｏｍ",
        "foo。com",
        "t.me/cheap",
        "(foo.com)",
    ],
)
def test_addresses_are_links(text: str) -> None:
    assert has_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "2.5 kg, 3.90 each",
        "5.com plete",
        "good...really",
        "好的。谢谢。",
        "No.1 apples",
        "e.g. these",
        "a.m. or p.m.",
        "U.S. apples",
        "12:30",
        "apples/pears",
        "see you.Community first",
        "www",
    ],
)
def test_what_has_dots_is_no_link_yet(text: str) -> None:
    assert not has_link(text) or text == "5.com plete"


@given(st.text(alphabet="a.-/:w。Ａcom ", max_size=500))
def test_looking_for_links_takes_no_time(text: str) -> None:
    began = time.process_time()
    has_link(text)
    is_question(text)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("how heavy?", True),
        ("how heavy ？ 😊", True),
        ("甜吗", True),
        ("多少钱一斤", True),
        ("怎么发货", True),
        ("能不能便宜点", True),
        ("nice apples", False),
        ("好吃！", False),
        ("what?! nice", False),
        ("看起来不错", False),
    ],
)
def test_questions_are_recognised(text: str, asks: bool) -> None:
    assert is_question(text) is asks


async def test_only_viewers_ask(site: str, world: World) -> None:
    async with room(site, world, world.zhang) as host:
        await host.command("chat.send", text="who wants apples?")
        assert "question" not in (await host.event("chat.message"))["data"]


ANYBODY = Standing(
    show_id=Show().public_id,
    user_id=User().public_id,
    name="Li",
    badge="viewer",
    may_link=False,
    words=Words(["scam"]),
    slow_mode_s=0,
)


@given(st.text(max_size=700))
def test_whatever_is_typed_is_a_short_clean_line_or_a_named_refusal(text: str) -> None:
    try:
        entry = chat.compose(ANYBODY, text)
    except AppError as error:
        refused = (
            error.code in {"invalid_input", "blocked_word", "links_not_allowed"},
            error.field,
        )
        assert refused == (True, "text")
        return
    assert 0 < len(entry.data["text"]) <= chat.LONGEST_TEXT
    assert entry.data["text"].split("\n") == [entry.data["text"]]


async def test_ten_thousand_letters_are_refused_with_a_reason(site: str, world: World) -> None:
    async with room(site, world, world.li) as li:
        refused = await refusal(li, "a" * 10_000)
        assert (refused.code, refused.error["field"]) == ("invalid_input", "text")
        await li.command("chat.send", text="short, then")


async def test_the_room_sees_a_name_without_tricks(site: str, world: World) -> None:
    async with room(site, world, world.li) as li:
        await li.command(
            "chat.send", text="\u202e\u2066now\u200b\u200b " + "z\u0336" * 3 + "\u0301" * 99
        )
        said = (await li.event("chat.message"))["data"]["text"]
        assert not set(said) & set("\u202e\u2066\u200b")
        assert said.count("\u0301") <= 4


# What it costs


def running_chat(world: World) -> watch.Chat:
    return watch.chats_of(running.current()).at(world.show.topic, world.show.public_id)


def speaker(world: World, user: User, runtime: Runtime) -> Speaker:
    key = f"user:{user.public_id}"
    return Speaker(user, world.show.public_id, world.show.topic, key, runtime, Proof.of(user, None))


class Counted:
    """How often the standings of how many people were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads: list[int] = []
        real = chat.standings

        def standings(show_id: Any, pks: Any) -> Any:
            self.reads.append(len(pks))
            return real(show_id, pks)

        monkeypatch.setattr(watch, "standings", standings)


async def test_many_messages_are_one_look_at_the_database(
    runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CHAT_EVERY_S = 0
    counted = Counted(monkeypatch)
    li, gao = speaker(world, world.li, runtime), speaker(world, world.gao, runtime)
    await li.chat.standing(world.li.pk)
    began = time.monotonic()
    for number in range(20):
        await asyncio.gather(*(act(one, ChatSend(text=f"hello {number}")) for one in (li, gao)))
    took_s = time.monotonic() - began
    assert len(counted.reads) <= 2 + took_s / (watch.STANDING_S / 2)
    assert sum(counted.reads) <= 2 * len(counted.reads)


async def test_all_who_write_are_looked_up_together(
    runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    room_chat = watch.chats_of(runtime).at(world.show.topic, world.show.public_id)
    people = [world.li, world.gao, world.wang, world.chen]
    await asyncio.gather(*(room_chat.standing(user.pk) for user in people))
    room_chat.changed()
    await asyncio.gather(*(room_chat.standing(user.pk) for user in people))
    assert counted.reads == [1, 3, 4] or counted.reads == [4, 4]


@pytest.mark.django_db
def test_looking_up_many_people_costs_as_much_as_one(world: World) -> None:
    crowd = [User.objects.create_user(f"viewer{n}").pk for n in range(50)]
    with CaptureQueriesContext(
        connection,
    ) as one:
        chat.standings(world.show.public_id, crowd[:1])
    with CaptureQueriesContext(connection) as all_of_them:
        found = chat.standings(world.show.public_id, crowd)
    assert len(all_of_them) == len(one) <= 11
    assert set(found) == set(crowd)


async def test_what_is_known_is_used_for_two_seconds_at_most(
    runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_chat = watch.chats_of(runtime).at(world.show.topic, world.show.public_id)
    before = await room_chat.standing(world.li.pk)
    assert await room_chat.standing(world.li.pk) is before
    monkeypatch.setattr(watch, "STANDING_S", 0.0)
    assert await room_chat.standing(world.li.pk) is not before


async def test_a_change_while_one_is_looked_up_is_not_missed(
    runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read before the mute, answered after it: what was read must not be used."""
    room_chat = watch.chats_of(runtime).at(world.show.topic, world.show.public_id)
    real = chat.standings
    reads: list[Any] = []

    def muted_meanwhile(show_id: Any, pks: Any) -> Any:
        found = real(show_id, pks)
        if not reads:
            Mute.objects.create(show=world.show, user=world.li)
            room_chat.changed()
        reads.append(pks)
        return found

    monkeypatch.setattr(watch, "standings", muted_meanwhile)
    standing = await room_chat.standing(world.li.pk)
    assert standing.refusal is not None
    assert standing.refusal().code == "muted"


@pytest.mark.parametrize("fact", ["show.ended", "viewer.muted", "room.slow_mode"])
async def test_the_log_ends_what_is_known(runtime: Runtime, world: World, fact: str) -> None:
    """Told by any process, heard by this one."""
    room_chat = watch.chats_of(runtime).at(world.show.topic, world.show.public_id)
    before = await room_chat.standing(world.li.pk)
    await run_in_db(lambda: Show.objects.update(state=ShowState.ENDED))
    entry = chat.compose(ANYBODY, "only to have an entry")
    await runtime.log.append(world.show.topic, [entry])
    told = [type(entry)(type=fact, data={}, at=now())]
    await runtime.log.append(world.show.topic, told)
    await until(lambda: room_chat._fresh((world.li.pk, None)) is None)
    after = await room_chat.standing(world.li.pk)
    assert (before.refusal, after.refusal is None) == (None, False)


async def test_a_message_sent_again_uses_up_nothing(site: str, world: World, settings: Any) -> None:
    async with room(site, world, world.li) as li:
        said = [await li.command("chat.send", text="hello", key=f"k{n}") for n in range(5)]
        for _again in range(3):
            for number, answer in enumerate(said):
                assert await li.command("chat.send", text="hello", key=f"k{number}") == answer
        assert (await refusal(li, "one more", key="k5")).code == "too_many"
        running_chat(world)._said.clear()  # as in a process that has just started
        assert await li.command("chat.send", text="hello", key="k0") == said[0]


async def test_a_limit_of_nothing_limits_nothing(site: str, world: World, settings: Any) -> None:
    settings.CHAT_EVERY_S = 0
    async with room(site, world, world.li) as li:
        for number in range(12):
            await li.command("chat.send", text=f"{number}")


async def test_a_room_that_is_none_says_so(runtime: Runtime, world: World) -> None:
    missing = watch.chats_of(runtime).at("show:none", world.li.public_id)
    for _try in range(2):
        with pytest.raises(NotFound):
            await missing.standing(world.li.pk)


@pytest.mark.django_db
def test_a_closed_account_is_asked_to_sign_in(world: World) -> None:
    User.objects.filter(pk=world.li.pk).update(is_active=False)
    RoleGrant.objects.create(user=world.li, role=Role.OPERATOR)
    standing = chat.standings(world.show.public_id, [world.li.pk])[world.li.pk]
    assert standing.refusal is not None
    assert standing.refusal().code == "sign_in_required"
