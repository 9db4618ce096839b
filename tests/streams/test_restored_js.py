"""Where the pages put a message that was brought back: in the room, and beside the replay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

import livecommerce
import streams
from tests.story.browser import chromium

pytestmark = pytest.mark.browser

ROOTS = [Path(str(app.__file__)).parent / "static" for app in (streams, livecommerce)]
PAGE = "<ul id='chat'></ul><p id='empty'></p>"
MESSAGES = """
const said = (seq, at, text = `${seq}`) =>
  ({ seq, at: `2026-11-21T09:30:0${at}.000Z`, type: "chat.message", id: `id${seq}`, data: { text, name: "Li", role: "viewer" } });
const restored = (message, more = {}) => ({
  seq: 99, type: "chat.restored",
  data: { ...message.data, seq: message.seq, id: message.id, at: message.at, ...more },
});
"""  # noqa: E501


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page()
        page.route("http://pages/**", serve)
        page.goto("http://pages/")
        yield page


def serve(route: Route) -> None:
    path = route.request.url.removeprefix("http://pages/")
    if not path:
        route.fulfill(body=PAGE, content_type="text/html")
        return
    [file] = [root / path for root in ROOTS if (root / path).exists()]
    route.fulfill(body=file.read_text(), content_type="text/javascript")


def run(page: Page, script: str) -> Any:
    return page.evaluate(f"async () => {{ {MESSAGES} {script} }}")


def test_the_room_shows_it_at_its_place_once(page: Page) -> None:
    state, lines, marks = run(
        page,
        """
        window.gettext = (text) => text;
        const { RoomState, restoredMessage } = await import("/streams/room-state.js");
        const { ChatLog } = await import("/streams/room-chat.js");
        const [one, two, three] = [said(1, 1), said(2, 2), said(3, 3)];
        two.data.question = true;
        const state = new RoomState({ show: {}, offers: [], chat: [one, two, three] });
        const chat = new ChatLog(document.querySelector("#chat"), document.querySelector("#empty"));
        chat.reset(state.chat);
        const back = restored(two, { answered: true });
        for (const event of [{ type: "chat.removed", data: { id: "id2", seq: 2 } }, back, back]) {
          state.apply(event);
          if (event === back) chat.restore(restoredMessage(event), event.data.answered);
          else chat.remove(event.data);
        }
        const first = restored(said(0, 0));
        state.apply(first);
        chat.restore(restoredMessage(first));
        const text = [...chat.list.children].map((line) => line.textContent);
        const marks = chat.list.querySelectorAll(".chat__question--answered").length;
        return [state.chat.map(({ data }) => data.text), text, [marks, [...state.answered]]];
        """,
    )
    assert state == ["0", "1", "2", "3"]
    assert [text[-1] for text in lines] == ["0", "1", "2", "3"]
    assert marks == [1, ["id2"]]


def test_the_replay_shows_it_at_its_second_once(page: Page) -> None:
    passed, late, chat, before_the_picture = run(
        page,
        """
        const { ReplayTrack } = await import("/streams/replay-track.js");
        const { restoredMessage } = await import("/streams/room-state.js");
        const at = (message, media_s) => ({ ...message, media_s });
        const track = new ReplayTrack([at(said(1, 1), 5), at(said(2, 3), 7), at(said(4, 9), 9)]);
        track.moveTo(7.5);
        const back = (message) => track.restore(restoredMessage(restored(message)));
        const passed = back(said(10, 2));
        const again = back(said(10, 2));
        const late = back(said(3, 8));
        const texts = [...track.moveTo(100).chat, null, ...track.moveTo(6).chat];
        const early = back(said(0, 0));
        return [passed.media_s, [again, late], texts.map((line) => line?.data.text), early];
        """,
    )
    assert passed == 6
    assert late == [None, None]
    assert chat == ["3", "4", None, "1", "10"]
    assert before_the_picture is None


def test_a_link_may_name_its_second_as_people_write_it(page: Page) -> None:
    written = ["70", "70s", "1m10s", "1M10S", "1:10", "1h2m3s", "1:02:03", "2m", "0.5"]
    nothing = ["", "soon", "1:2:3:4", "-5", "1s2m", None]
    seconds = page.evaluate(
        """async (links) => {
          const { secondOfLink } = await import("/streams/replay-track.js");
          return links.map(secondOfLink);
        }""",
        [*written, *nothing],
    )
    assert seconds == [70, 70, 70, 70, 70, 3723, 3723, 120, 0.5] + [0] * len(nothing)
