"""Keeping order in a room with one thumb, in a real browser of 360 × 640."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, StorageState, expect

from streams.client import Refused, RoomClient, RoomClosed
from tests.server import Served, serving
from tests.story.browser import Visitor, chromium, eventually, signed_in
from tests.story.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.process]

T = TypeVar("T")
TO_DOOR = {"kind": "courier", "name": "Li", "phone": "13800138000", "address": "8 River Street"}
THUMB_PX = 44


class Crowd:
    """People with sockets in one room, on an event loop of their own."""

    def __init__(self, url: str, show_id: str, cookies: dict[str, str]) -> None:
        self._url, self._show_id = url, show_id
        self._cookies = cookies
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.rooms: dict[str, RoomClient] = {}

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def come(self, *names: str) -> None:
        for name in names:
            server = self._url.replace("http", "ws")
            cookie = self._cookies[name]
            room = RoomClient(server, self._show_id, cookie=cookie, origin=self._url)
            self.do(room.open())
            self.rooms[name] = room

    def say(self, name: str, text: str) -> None:
        self.do(self.rooms[name].command("chat.send", text=text))

    def refusal(self, name: str, text: str) -> str:
        with pytest.raises(Refused) as refused:
            self.say(name, text)
        return refused.value.code

    def buy(self, name: str, quantity: int, offer: int = 0) -> None:
        room = self.rooms[name]
        wanted = room.snapshot["offers"][offer]
        self.do(
            room.command(
                "order.place",
                key=str(uuid4()),
                lines=[
                    {
                        "offer_id": wanted["id"],
                        "quantity": quantity,
                        "price_minor": wanted["price_minor"],
                    }
                ],
                delivery=TO_DOOR,
                note="ripe ones, please",
            )
        )

    def hears(self, name: str, kind: str) -> Any:
        return self.do(self.rooms[name].event(kind))["data"]

    def leave(self) -> None:
        for room in self.rooms.values():
            self.do(room.close())
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests: each has a show of its own on it."""
    with serving(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="module")
def zhang_signed_in(server: Served, browser: Browser) -> StorageState:
    return signed_in(browser, server.url, "zhang")


@pytest.fixture(scope="module")
def cookies(server: Served) -> dict[str, str]:
    """Of the people in the crowd, each signed in."""
    people = {name: Person(server.url, name) for name in ("li", "wang")}
    return {name: f"sessionid={one.cookies['sessionid']}" for name, one in people.items()}


@pytest.fixture
def zhang(server: Served, browser: Browser, zhang_signed_in: StorageState) -> Iterator[Visitor]:
    """At the console of a new show of his, on his phone."""
    visitor = Visitor(browser, server.url, zhang_signed_in)
    page = visitor.open("/studio/shows/new/")
    page.fill("[name=title]", "Apples and pears")
    for offer in page.locator(".offer-choice__pick input").all():
        offer.check()
    page.get_by_role("button", name="Schedule the show").click()
    page.locator("#to-camera").click()
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("#sum-orders")).to_have_text("0")
    yield visitor
    visitor.context.close()  # its camera would run on beside all later tests


@pytest.fixture
def crowd(server: Served, zhang: Visitor, cookies: dict[str, str]) -> Iterator[Crowd]:
    show_id = zhang.page.url.rstrip("/").rpartition("/")[2]
    people = Crowd(server.url, show_id, cookies)
    yield people
    people.leave()


def line(page: Page, text: str) -> Locator:
    return page.locator("#chat-lines .chat-line").filter(has_text=text)


def open_sheet(page: Page, text: str) -> Locator:
    line(page, text).locator(".chat-line__act").tap()
    sheet = page.locator("#chat-sheet")
    expect(sheet).to_be_visible()
    return sheet


def small_targets(page: Page) -> list[str]:
    """What can be tapped and is too small for a thumb."""
    found: list[str] = page.evaluate(
        """least => [...document.querySelectorAll("button, a, input, summary")]
          .filter((one) => one.offsetParent !== null)
          .map((one) => [one.id || one.className, one.offsetWidth, one.offsetHeight])
          .filter(([, width, height]) => Math.min(width, height) < least)
          .map((one) => one.join(" "))""",
        THUMB_PX,
    )
    return found


def assert_fits(page: Page) -> None:
    """Nothing is wider than the phone, and every target is large enough."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    assert small_targets(page) == []


def test_a_message_is_taken_away_and_greyed(zhang: Visitor, crowd: Crowd) -> None:
    page = zhang.page
    crowd.come("li", "wang")
    crowd.say("wang", "buy at my place instead")
    sheet = open_sheet(page, "buy at my place")
    assert_fits(page)
    sheet.locator("#sheet-remove").tap()

    expect(page.locator("#toasts")).to_contain_text("Taken away for everybody")
    expect(line(page, "buy at my place")).to_have_class(re.compile("chat-line--removed"))
    crowd.hears("li", "chat.removed")
    assert zhang.faults == []


def test_what_was_taken_away_is_brought_back_by_undo_and_later_from_the_list(
    zhang: Visitor, crowd: Crowd
) -> None:
    page = zhang.page
    crowd.come("li", "wang")
    for text in ("before", "is it sweet?", "after"):
        crowd.say("wang", text)
    order = [re.compile("before"), re.compile("is it sweet?"), re.compile("after")]
    open_sheet(page, "sweet").locator("#sheet-remove").tap()
    expect(page.locator("#questions-open")).to_be_hidden()
    assert_fits(page)
    page.get_by_role("button", name="Undo").tap()
    expect(line(page, "sweet")).not_to_have_class(re.compile("chat-line--removed"))
    expect(page.locator("#chat-lines .chat-line")).to_have_text(order)
    expect(page.locator("#questions-open")).to_have_text("1")
    assert crowd.hears("li", "chat.restored")["text"] == "is it sweet?"

    open_sheet(page, "sweet").locator("#sheet-remove").tap()
    expect(line(page, "sweet")).to_have_class(re.compile("chat-line--removed"))
    page.reload()
    expect(page.locator("#chat-lines .chat-line")).to_have_count(2)
    page.locator("#tab-people").tap()
    bring_back = page.get_by_role("button", name="Bring back what Wang wrote")
    expect(bring_back).to_have_count(1)
    assert_fits(page)
    bring_back.tap()
    expect(page.locator("#history")).to_contain_text("Zhang brought back what Wang wrote.")
    expect(bring_back).to_have_count(0)
    page.locator("#tab-chat").tap()
    expect(page.locator("#chat-lines .chat-line")).to_have_text(order)
    assert zhang.faults == []


def test_a_viewer_is_muted_with_two_taps_and_a_third_undoes_it(
    zhang: Visitor, crowd: Crowd
) -> None:
    page = zhang.page
    crowd.come("li", "wang")
    crowd.say("wang", "LOUD LOUD LOUD")
    sheet = open_sheet(page, "LOUD")
    sheet.get_by_role("button", name="10 minutes").tap()

    expect(page.locator("#toasts")).to_contain_text("Wang can watch, but not write.")
    expect(line(page, "LOUD")).to_contain_text("muted")
    assert crowd.refusal("wang", "still loud") == "muted"

    page.get_by_role("button", name="Undo").tap()

    expect(line(page, "LOUD").locator(".chat-line__held")).to_have_count(0)
    crowd.say("wang", "sorry")
    expect(line(page, "sorry")).to_be_visible()
    assert zhang.faults == []


def test_sending_away_is_asked_once_and_shown_with_who_and_why(
    zhang: Visitor, crowd: Crowd
) -> None:
    page = zhang.page
    crowd.come("li", "wang")
    crowd.say("wang", "your apples are poison")
    sheet = open_sheet(page, "poison")
    page.fill("#sheet-reason", "lies about the farm")
    sheet.locator("#sheet-ban").tap()
    expect(page.locator("#sheet-ban-question")).to_have_text("Send Wang away from this show?")
    assert crowd.rooms["wang"].close_code is None
    page.locator("#sheet-ban-messages").check()
    page.locator("#sheet-ban-yes").tap()

    expect(line(page, "poison")).to_have_class(re.compile("chat-line--removed"))
    eventually(lambda: crowd.rooms["wang"].close_code == 4403, within_s=5, what="Wang gone")
    page.locator("#tab-people").tap()
    held = page.locator("#held li")
    expect(held).to_contain_text("Wang")
    expect(held).to_contain_text("by Zhang")
    expect(held).to_contain_text("lies about the farm")
    expect(page.locator("#history")).to_contain_text("Zhang sent Wang away.")
    assert_fits(page)

    held.get_by_role("button").tap()
    expect(page.locator("#held-empty")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("Zhang let Wang in again.")
    crowd.come("wang")
    assert zhang.faults == []


def test_a_banned_viewer_stays_out_until_undone(zhang: Visitor, crowd: Crowd) -> None:
    crowd.come("wang")
    crowd.say("wang", "poison")
    open_sheet(zhang.page, "poison").locator("#sheet-ban").tap()
    zhang.page.locator("#sheet-ban-yes").tap()
    eventually(lambda: crowd.rooms["wang"].close_code == 4403, within_s=5, what="Wang gone")
    with pytest.raises(RoomClosed):
        crowd.come("wang")


def test_questions_wait_in_a_list_until_they_are_answered(zhang: Visitor, crowd: Crowd) -> None:
    page = zhang.page
    crowd.come("li", "wang")
    crowd.say("li", "How heavy is a box?")
    crowd.say("wang", "lovely apples")
    expect(page.locator("#questions-open")).to_have_text("1")
    page.locator("#tab-questions").tap()
    question = page.locator("#questions li")
    expect(question).to_have_count(1)
    assert_fits(page)
    question.get_by_role("button", name="Answered").tap()

    expect(page.locator("#questions-empty")).to_be_visible()
    expect(page.locator("#questions-open")).to_be_hidden()
    crowd.hears("li", "chat.answered")
    page.locator("#tab-chat").tap()
    expect(line(page, "How heavy")).to_contain_text("answered")
    page.reload()
    expect(line(page, "How heavy")).to_contain_text("answered")
    open_sheet(page, "How heavy").get_by_role("button", name="Not answered yet").tap()
    crowd.hears("li", "chat.unanswered")
    expect(line(page, "How heavy")).to_contain_text("question")
    expect(page.locator("#questions-open")).to_have_text("1")
    page.reload()
    expect(page.locator("#questions-open")).to_have_text("1")
    page.locator("#tab-questions").tap()
    question.get_by_role("button", name="Answered").tap()
    expect(page.locator("#questions-empty")).to_be_visible()
    page.get_by_role("button", name="Undo").tap()
    expect(question).to_have_count(1)
    assert zhang.faults == []


def test_a_message_on_top_and_slow_mode(zhang: Visitor, crowd: Crowd) -> None:
    page = zhang.page
    crowd.come("li")
    crowd.say("li", "Pick-up is at the village shop")
    open_sheet(page, "Pick-up").locator("#sheet-pin").tap()
    expect(page.locator("#chat-pinned-text")).to_have_text("Li: Pick-up is at the village shop")
    page.locator("#chat-unpin").tap()
    expect(page.locator("#chat-pinned")).to_be_hidden()

    page.locator("#tab-people").tap()
    page.get_by_role("button", name="Every 30 s").tap()
    assert crowd.hears("li", "room.slow_mode") == {"every_s": 30}
    expect(page.locator("#history")).to_contain_text(
        "Zhang set slow mode: one message every 30 seconds."
    )
    assert zhang.faults == []


def test_a_blocked_word_stays_out_of_the_chat(zhang: Visitor, crowd: Crowd) -> None:
    page = zhang.page
    crowd.come("li")
    page.locator("#tab-people").tap()
    page.locator("#words-open").tap()
    page.fill("#word", "durian")
    page.get_by_role("button", name="Block", exact=True).tap()
    expect(page.locator("#words li")).to_have_count(1)
    assert_fits(page)
    eventually(lambda: crowd.refusal("li", "fresh durian here"), within_s=20, what="a refusal")

    page.get_by_role("button", name="Allow “durian” again").tap()
    expect(page.locator("#words-empty")).to_be_visible()
    page.locator("#words-close").tap()
    expect(page.locator("#history")).to_contain_text("Zhang blocked the word “durian”.")
    expect(page.locator("#history")).to_contain_text("Zhang allowed the word “durian” again.")
    assert zhang.faults == []


def test_orders_come_live_with_their_figures(zhang: Visitor, crowd: Crowd) -> None:
    page = zhang.page
    crowd.come("li", "wang")
    page.locator("#tab-orders").tap()
    crowd.buy("li", 2)
    crowd.buy("wang", 10, offer=1)

    expect(page.locator("#orders li")).to_have_count(2)
    expect(page.locator("#sum-orders")).to_have_text("2")
    expect(page.locator("#sum-boxes")).to_have_text("12")
    expect(page.locator("#chart svg")).to_have_attribute("aria-label", re.compile("2 orders"))
    expect(page.locator("#products-low")).to_have_text("1")
    assert_fits(page)
    first = page.locator("#orders li").filter(has_text="2 × Huaniu apples")
    first.get_by_role("button", name=re.compile("Packed")).tap()
    expect(first).to_contain_text("packed")
    expect(page.locator("#orders-waiting")).to_have_text("1")
    page.locator("#tab-products").tap()
    expect(page.locator("#stock-low")).to_contain_text("2 boxes left")
    assert_fits(page)
    assert zhang.faults == []


def test_a_lost_connection_is_told_and_nothing_is_missed(
    zhang: Visitor, crowd: Crowd, server: Served
) -> None:
    page = zhang.page
    crowd.come("li")
    crowd.buy("li", 1)
    page.locator("#tab-orders").tap()
    expect(page.locator("#orders li")).to_have_count(1)
    server.kill()
    expect(page.locator("#connection")).to_contain_text("Connection lost")
    server.start()
    crowd.come("li")
    crowd.buy("li", 1)
    expect(page.locator("#connection")).to_be_hidden(timeout=30_000)
    expect(page.locator("#orders li")).to_have_count(2)


def box_of(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box


def test_the_chat_has_half_of_the_phone_during_a_show(
    zhang: Visitor, crowd: Crowd, browser: Browser, zhang_signed_in: StorageState
) -> None:
    page = zhang.page
    crowd.come("li")
    for number in range(4):
        crowd.say("li", f"message {number}")
    page.locator("#go-live").tap()
    page.locator("#early-yes").tap()
    expect(page.locator("#air-badge")).to_have_text("Live")
    assert box_of(page, "#panel-chat")["height"] >= 320
    assert_fits(page)
    page.get_by_role("button", name="Larger picture").tap()
    assert box_of(page, "#panel-chat")["height"] < 320

    other = Visitor(browser, zhang.url, zhang_signed_in)
    status = other.open(page.url.removeprefix(zhang.url)).locator("#status")
    expect(status).to_contain_text("filmed by another phone")
    assert box_of(other.page, "#panel-chat")["height"] >= 320
    assert status.evaluate("text => text.scrollHeight <= text.clientHeight")
    assert zhang.faults + other.faults == []


def test_a_toast_covers_neither_the_tabs_nor_the_composer(zhang: Visitor, crowd: Crowd) -> None:
    page = zhang.page
    crowd.come("li", "wang")
    for name in ("li", "wang"):
        crowd.say(name, f"{name} is loud")
        open_sheet(page, f"{name} is loud").get_by_role("button", name="1 hour").tap()
        expect(page.locator("#toasts")).to_contain_text(f"{name.title()} can watch")
    expect(page.locator("#toasts .toast")).to_have_count(1)
    toast, tabs = box_of(page, "#toasts .toast"), box_of(page, ".panel-tabs")
    assert toast["y"] >= tabs["y"] + tabs["height"]
    assert toast["y"] + toast["height"] <= box_of(page, "#chat-form")["y"]
