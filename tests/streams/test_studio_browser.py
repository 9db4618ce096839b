"""The host's camera on a bad network, in a real browser with a fake camera."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

import streams
from tests.server import Server, running_web
from tests.story.browser import Visitor, chromium, chromium_path, eventually, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg]

QUEUE = (Path(streams.__file__).parent / "static/studio/chunk-queue.js").read_text()
LOAD = """async (source) => {
  const blob = new Blob([source], {type: "text/javascript"});
  window.queues = await import(URL.createObjectURL(blob));
}"""
# Chunks of 10 bytes, 500 ms apart, cut to frames of at most 18 bytes (6 of them payload).
FILL = """(count) => {
  window.queue = new queues.ChunkQueue({maxFrameBytes: 18});
  for (let i = 0; i < count; i++) queue.push(new Uint8Array(10).fill(i), i * 500);
}"""
LOOK = """() => ({
  numbers: queue.from(0).map((chunk) => chunk.number),
  waiting: queue.waitingMs,
  bytes: queue.waitingBytes,
  first: queue.firstNumber,
  stored: queue.acknowledgedBytes,
})"""


class Network:
    """Stands between the browser and the server; `down` breaks it, as a valley without masts.

    `uplink_kbit`, where it is set, is all that it carries to the server, in kbit/s, over all
    connections.
    """

    uplink_kbit: float | None = None
    buffer = 8192
    """Bytes: what is in there is on its way for the browser, however slow that way is."""

    def __init__(self, server: str, *, listen: str = "127.0.0.1") -> None:
        """`listen`: the address of this machine at which the browser comes."""
        host, _, port = server.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._is_up = True
        self._uplink = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server((listen, 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()

    def down(self) -> None:
        self._is_up = False
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def up(self) -> None:
        self._is_up = True

    def close(self) -> None:
        self._listener.close()
        self.down()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                self._carry(near)

    def _carry(self, near: socket.socket) -> None:
        if not self._is_up:
            near.close()
            return
        far = socket.create_connection(self._server)
        self._open |= {near, far}
        near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer)
        for pair in ((near, far, True), (far, near, False)):
            threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_up: bool) -> None:
        with suppress(OSError):
            while block := source.recv(self.buffer // 2 if is_up else 65536):
                if is_up and (kbit := self.uplink_kbit):
                    with self._uplink:
                        time.sleep(len(block) * 8 / 1000 / kbit)
                target.sendall(block)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_web(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def zhang_signed_in(server: Server, browser: Browser) -> StorageState:
    return signed_in(browser, server.url, "zhang")


@pytest.fixture(autouse=True)
def pages_closed(browser: Browser) -> Iterator[None]:
    """Their cameras would run on beside all later tests."""
    yield
    for context in browser.contexts:
        context.close()


@contextmanager
def network_to(server: Server) -> Iterator[Network]:
    network = Network(server.url)
    try:
        yield network
    finally:
        network.close()


def new_show(zhang: Visitor, title: str) -> Page:
    """Zhang's console of a show just scheduled, with the camera ready."""
    page = zhang.open("/studio/shows/new/")
    page.fill("[name=title]", title)
    page.get_by_role("button", name="Schedule the show").click()
    page.locator("#to-camera").click()
    expect(page.locator("#go-live")).to_be_enabled()
    return page


def begin_early(page: Page) -> None:
    """It is asked once, because the show is said to begin in half an hour."""
    page.locator("#go-live").click()
    page.locator("#early-yes").click()


def go_live(page: Page) -> None:
    begin_early(page)
    expect(page.locator("#air-badge")).to_have_text("Live")
    eventually(lambda: recording(page)["take"]["duration_s"] > 1, within_s=20, what="segments")


def recording(page: Page) -> Any:
    """What the server has of the show."""
    show_id = page.url.rstrip("/").rpartition("/")[2]
    origin = page.url.partition("/studio/")[0]
    state = page.request.get(f"{origin}/api/v1/shows/{show_id}/studio").json()
    return state["recording"] or {"take": {"duration_s": 0}}


def end_show(page: Page) -> None:
    page.locator("#end-show").click()
    page.locator("#end-yes").click()
    expect(page.locator("#cut-form")).to_be_visible()


SEES_NOW = """(behindMs) => {
  const { delayMs } = document.querySelector("#stage").dataset;
  const isAway = document.querySelector("#stage").classList.contains("is-away");
  return !isAway && Number(delayMs) < behindMs;
}"""


def watches(zhang: Visitor, server: Server, console: Page) -> Page:
    """Somebody who watches the show of this console over a good network."""
    context = zhang.context.browser.new_context()  # type: ignore[union-attr]
    viewer = context.new_page()
    viewer.goto(f"{server.url}/shows/{console.url.rstrip('/').rpartition('/')[2]}/")
    viewer.wait_for_function(SEES_NOW, arg=8_000, timeout=60_000)
    return viewer


def test_viewers_see_the_present_at_once_after_an_outage_and_the_recording_gets_the_rest(
    server: Server, browser: Browser, zhang_signed_in: StorageState
) -> None:
    with network_to(server) as network:
        zhang = Visitor(browser, network.url, zhang_signed_in)
        page = new_show(zhang, "Where the line is thin")
        began = time.monotonic()
        go_live(page)
        viewer = watches(zhang, server, page)
        network.down()
        network.uplink_kbit = 700
        expect(page.locator("#status")).to_contain_text("14 seconds are kept", timeout=30_000)
        viewer.wait_for_function("() => document.querySelector('#stage').matches('.is-away')")

        network.up()
        page.locator("#air-badge").get_by_text("Live").wait_for()
        viewer.wait_for_function(SEES_NOW, arg=3_000, timeout=60_000)
        network.uplink_kbit = 300  # a busy machine may have filmed little: some of it shall be left
        # Under 2 s where nothing else runs; in any case long before the rest has gone.
        left = page.locator("#status").inner_text()
        assert "Sending what was kept: 0:" in left, left

        filmed_s = time.monotonic() - began
        page.locator("#end-show").click()
        page.locator("#end-yes").click()
        expect(page.locator("#ending")).to_contain_text("Sending the last 0:")
        expect(page.locator("#end-without")).to_be_visible()
        network.uplink_kbit = None
        expect(page.locator("#cut-form")).to_be_visible(timeout=40_000)
        assert recording(page)["duration_s"] == pytest.approx(filmed_s, abs=4)
        assert zhang.faults == []


def test_what_does_not_fit_is_said_and_a_show_can_end_without_what_is_left(
    server: Server, browser: Browser, zhang_signed_in: StorageState
) -> None:
    with network_to(server) as network:
        zhang = Visitor(browser, network.url, zhang_signed_in)
        zhang.page.clock.install()
        page = new_show(zhang, "In the valley")
        status = page.locator("#status")
        go_live(page)
        network.down()
        expect(status).to_contain_text("3 seconds are kept on this device")
        page.clock.fast_forward(30_000)
        expect(status).to_contain_text("what happens now is not recorded")

        network.uplink_kbit = 80
        network.up()
        expect(page.locator("#air-badge")).to_have_text("Live")
        expect(status).to_contain_text("Sending what was kept: 0:")
        page.locator("#end-show").click()
        page.locator("#end-yes").click()
        page.locator("#end-without").click(timeout=30_000)
        expect(page.locator("#cut-form")).to_be_visible(timeout=40_000)
        assert zhang.faults == []


def test_a_phone_that_another_one_relieves_sends_what_it_kept(
    server: Server, browser: Browser, zhang_signed_in: StorageState
) -> None:
    with network_to(server) as network:
        zhang = Visitor(browser, network.url, zhang_signed_in)
        page = new_show(zhang, "Two phones in the valley")
        go_live(page)
        first = recording(page)["take"]["id"]
        network.down()
        expect(page.locator("#status")).to_contain_text("6 seconds are kept")
        other = zhang.context.new_page()
        other.goto(page.url.replace(network.url, server.url))
        other.locator("#go-live").click()
        expect(other.locator("#air-badge")).to_have_text("Live")
        network.uplink_kbit = 200
        network.up()

        status = page.locator("#status")
        expect(status).to_contain_text("Sending what was kept here: 0:")
        expect(page.locator("#preview-box")).to_have_attribute("data-state", "moved")
        network.uplink_kbit = None
        expect(status).to_have_text(
            "The show goes on from another phone. This one has stopped filming.", timeout=30_000
        )
        eventually(lambda: recording(other)["take"]["id"] != first, within_s=20, what="its take")
        page.close()
        end_show(other)
        assert recording(other)["duration_s"] > 7
        assert zhang.faults == []


def test_changing_the_microphone_on_air_begins_another_take(
    server: Server, browser: Browser, zhang_signed_in: StorageState
) -> None:
    zhang = Visitor(browser, server.url, zhang_signed_in)
    page = new_show(zhang, "Two microphones")
    go_live(page)
    first = recording(page)["take"]["id"]
    page.click("#preview-size")  # on air the picture makes room for the chat
    page.locator(".stage__more summary").click()
    choices = page.locator("#microphones option")
    assert choices.count() > 1
    page.locator("#microphones").select_option(index=1)

    eventually(lambda: recording(page)["take"]["id"] != first, within_s=20, what="a second take")
    expect(page.locator("#air-badge")).to_have_text("Live")
    end_show(page)
    assert zhang.faults == []


def top_of(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"]


def test_a_second_phone_goes_on_with_the_show_and_the_first_one_stops(
    server: Server, browser: Browser, zhang_signed_in: StorageState
) -> None:
    zhang = Visitor(browser, server.url, zhang_signed_in)
    page = new_show(zhang, "One camera at a time")
    go_live(page)
    first = recording(page)["take"]
    other = zhang.context.new_page()
    other.goto(page.url)
    expect(other.locator("#status")).to_contain_text("filmed by another phone")
    expect(page.locator("#renditions")).not_to_be_empty()
    expect(page.locator("#renditions")).to_be_hidden()
    page.click("#preview-size")
    page.locator(".stage__more summary").click()
    expect(page.locator("#renditions")).to_be_visible()
    expect(other.locator("#renditions")).not_to_be_empty()
    expect(other.locator("#renditions")).to_be_hidden()
    assert top_of(other, "#go-live") < top_of(other, "#end-show")

    other.get_by_role("button", name="Continue on this phone").click()

    expect(other.locator("#air-badge")).to_have_text("Live")
    expect(page.locator("#status")).to_contain_text("goes on from another phone")
    expect(page.locator("#preview-box")).to_have_attribute("data-state", "moved")
    eventually(
        lambda: recording(other)["take"]["id"] != first["id"], within_s=20, what="another take"
    )
    # A reload is no other phone: the same one comes back with one tap.
    with other.expect_event("dialog") as asking:
        other.once("dialog", lambda dialog: dialog.accept())
        other.reload()
    assert asking.value.type == "beforeunload"
    other.get_by_role("button", name="Go on").click()
    expect(other.locator("#air-badge")).to_have_text("Live")
    page.close()
    end_show(other)
    assert zhang.faults == []


# A camera that a test can turn, mute and pull out, and a microphone that hums.
TAME_CAMERA = """() => {
  const filmed = () => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 640, height: 360});
    const context = canvas.getContext("2d");
    setInterval(() => {
      context.fillStyle = `hsl(${performance.now() / 20} 80% 50%)`;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }, 50);
    const sound = new AudioContext();
    const hum = sound.createOscillator();
    const ear = sound.createMediaStreamDestination();
    hum.connect(ear);
    hum.start();
    window.cameraCanvas = canvas;
    return new MediaStream([...canvas.captureStream().getTracks(), ...ear.stream.getTracks()]);
  };
  navigator.mediaDevices.getUserMedia = async ({ video }) => {
    if (video && window.isUnplugged) throw new DOMException("unplugged", "NotFoundError");
    const stream = filmed();
    if (!video) stream.removeTrack(stream.getVideoTracks()[0]);
    return (window.cameraStream = stream);
  };
  window.picture = (happens) => {
    const [track] = cameraStream.getVideoTracks();
    if (happens === "ended") track.stop();
    track.dispatchEvent(new Event(happens));
  };
}"""


def test_whatever_happens_to_camera_and_network_the_show_goes_on(
    server: Server, browser: Browser, zhang_signed_in: StorageState
) -> None:
    with network_to(server) as network:
        zhang = Visitor(browser, network.url, zhang_signed_in)
        zhang.context.add_init_script(f"({TAME_CAMERA})()")
        page = new_show(zhang, "In the orchard, at the edge of the network")
        began = time.monotonic()
        go_live(page)
        preview, status = page.locator("#preview-box"), page.locator("#status")

        def begins_another_take(after: str) -> str:
            def another() -> str:
                take: str = recording(page)["take"]["id"]
                return take if take != after else ""

            return eventually(another, within_s=20, what="another take")

        take = recording(page)["take"]["id"]
        page.evaluate("Object.assign(cameraCanvas, {width: 360, height: 640})")
        take = begins_another_take(take)
        page.evaluate("picture('mute')")
        expect(status).to_contain_text("Viewers hear you and see a still picture")
        expect(preview).to_have_attribute("data-quality", "sound")
        page.evaluate("picture('unmute')")
        expect(preview).to_have_attribute("data-quality", "full")
        take = begins_another_take(take)
        page.evaluate("picture('ended')")
        take = begins_another_take(take)
        expect(status).to_have_text("You are live. Viewers see you now.")
        page.evaluate("window.isUnplugged = true; picture('ended')")
        take = begins_another_take(take)
        expect(status).to_contain_text("Viewers hear you and see a still picture")
        expect(page.locator("#camera-problem")).to_contain_text("No camera was found")
        page.evaluate(
            """window.isUnplugged = false;
            navigator.mediaDevices.dispatchEvent(new Event("devicechange"))"""
        )
        take = begins_another_take(take)
        expect(status).to_have_text("You are live. Viewers see you now.")

        network.uplink_kbit = 60
        expect(status).to_contain_text("sound only")
        expect(preview).to_have_attribute("data-quality", "sound")
        network.uplink_kbit = None
        filmed_s = time.monotonic() - began
        end_show(page)
        assert recording(page)["duration_s"] == pytest.approx(filmed_s, abs=4)
        assert zhang.faults == []


JUDGE = """async ([name, told]) => {
  const checks = await import("/static/studio/checks.js");
  return checks[name](told);
}"""
# What each check says of what was found, which no fake device shows by itself.
JUDGED = {
    ("networkCheck", '{"isOnline": true, "trial": {"bitsPerSecond": 900000}}'): (
        "warn",
        "smaller picture only (900 kbit/s)",
    ),
    ("networkCheck", '{"isOnline": true, "trial": {"bitsPerSecond": 400000}}'): ("warn", "small"),
    ("networkCheck", '{"isOnline": true, "trial": {"bitsPerSecond": 90000}}'): ("warn", "still"),
    ("networkCheck", '{"isOnline": true, "trial": {"bitsPerSecond": 9000}}'): ("bad", "too weak"),
    ("networkCheck", '{"isOnline": true, "failure": {"message": ""}}'): (
        "bad",
        "cannot be reached",
    ),
    ("networkCheck", '{"isOnline": true, "failure": {"message": "Over."}}'): ("bad", "Over."),
    ("batteryCheck", '{"level": 0.12, "charging": false}'): ("warn", "12% left"),
    ("cameraCheck", '{"canRecord": false}'): ("bad", "cannot record"),
    ("cameraCheck", '{"canRecord": true, "error": {"name": "NotFoundError"}}'): (
        "bad",
        "No camera",
    ),
    ("cameraCheck", '{"canRecord": true, "error": {"name": "NotReadableError"}}'): (
        "bad",
        "Another app is using the camera",
    ),
}


def test_before_the_show_a_host_sees_what_is_ready_and_what_is_not(
    server: Server, browser: Browser, zhang_signed_in: StorageState
) -> None:
    zhang = Visitor(browser, server.url, zhang_signed_in)
    page = new_show(zhang, "Is everything ready?")
    expect(page.locator("#checks-open")).to_have_attribute("data-state", "ok")
    page.locator("#checks-open").click()
    expect(page.locator("#checks li[data-state=ok]")).to_have_count(5)
    expect(page.locator("#checks-fine")).to_be_visible()

    zhang.context.set_offline(True)
    expect(page.locator("[data-check=network]")).to_contain_text("no network")
    expect(page.locator("#status")).to_contain_text("Switch on mobile data or Wi-Fi")
    zhang.context.set_offline(False)
    expect(page.locator("[data-check=network]")).to_contain_text("Network: good")
    page.clock.set_system_time("2020-01-01T00:00:00Z")
    page.locator("#checks-again").click()
    expect(page.locator("[data-check=clock]")).to_contain_text("minutes slow")
    for (name, told), (state, words) in JUDGED.items():
        judged = page.evaluate(JUDGE, [name, json.loads(told)])
        assert (judged["state"], words in judged["text"]) == (state, True), judged


@pytest.fixture
def wary_browser(browser: Browser) -> Iterator[Browser]:
    """A browser that has a camera and asks its person, who does not say yes."""
    flags = ["--no-sandbox", "--use-fake-device-for-media-stream"]
    wary = browser.browser_type.launch(executable_path=chromium_path(), args=flags)
    yield wary
    wary.close()


def test_a_host_without_permission_is_told_what_to_do(
    server: Server, wary_browser: Browser
) -> None:
    zhang = Visitor(wary_browser, server.url)
    zhang.context.clear_permissions()
    zhang.sign_in("zhang")
    page = zhang.open("/studio/")
    page.get_by_role("link", name="Get ready").first.click()

    expect(page.locator("#camera-problem")).to_contain_text("allow camera and microphone")
    expect(page.locator("#go-live")).to_be_disabled()
    assert zhang.faults == []


@pytest.fixture
def queue(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.evaluate(LOAD, QUEUE)
    yield page
    page.close()


def test_chunks_are_numbered_in_order_and_cut_to_fit_a_frame(queue: Page) -> None:
    queue.evaluate(FILL, 2)

    look = queue.evaluate(LOOK)
    assert look["numbers"] == [0, 1, 2, 3]
    assert (look["waiting"], look["bytes"], look["first"], look["stored"]) == (500, 20, 0, 0)


def test_what_is_acknowledged_is_let_go(queue: Page) -> None:
    queue.evaluate(FILL, 2)
    queue.evaluate("() => queue.acknowledge(3)")

    look = queue.evaluate(LOOK)
    assert look["numbers"] == [3]
    assert (look["waiting"], look["bytes"], look["first"], look["stored"]) == (0, 4, 3, 16)


def test_what_waits_is_cut_anew_and_goes_on_with_its_numbers(queue: Page) -> None:
    queue.evaluate(FILL, 2)
    queue.evaluate("() => { queue.acknowledge(1); queue.recut({maxFrameBytes: 14}); }")

    look = queue.evaluate(LOOK)
    assert look["numbers"] == [1, 2, 3, 4, 5, 6, 7]
    assert (look["waiting"], look["bytes"], look["stored"]) == (500, 14, 6)
    assert queue.evaluate("() => [queue.at(0), queue.at(7).number]") == [None, 7]
    queue.evaluate("() => { queue.giveUp(); queue.push(new Uint8Array(3), 9000); }")
    assert queue.evaluate(LOOK)["numbers"] == []


def test_a_frame_is_number_offset_and_payload(queue: Page) -> None:
    frame = queue.evaluate(
        "() => [...queues.frameOf({number: 258, offsetMs: 1.5, payload: new Uint8Array([7, 8])})]"
    )

    assert bytes(frame) == b"\x00\x00\x01\x02" + b"\x3f\xf8" + bytes(6) + b"\x07\x08"
