"""A phone camera whose picture tells when it was taken, and what it films looked at again later."""

from __future__ import annotations

import colorsys

from playwright.sync_api import Locator

from tests.story.browser import Visitor
from tests.streams.test_studio_browser import TAME_CAMERA

ROUND_S = 360 * 20 / 1000
"""The camera's colour goes once round the wheel, a degree every 20 ms of its page."""
NEAR_S = 1.5
"""A second, and half of one for a machine whose camera has to wait for its core."""

COLOUR = """async (video, second) => {
  const state = () => {
    const { buffered, currentTime, seeking, readyState, error } = video;
    const ranges = Array.from(buffered, (_, n) => [buffered.start(n), buffered.end(n)]);
    return JSON.stringify({ ranges, currentTime, seeking, readyState, error: error?.message });
  };
  video.pause();
  const there = new Promise((done, never) => {
    video.addEventListener("seeked", done, { once: true });
    setTimeout(() => never(new Error(`no picture of second ${second}: ${state()}`)), 60_000);
  });
  video.currentTime = second;
  await there;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 8, 8);
  return [...context.getImageData(4, 4, 1, 1).data.slice(0, 3)];
}"""


class Film:
    """What a host's camera films; `note` gives the present moment of it a name."""

    def __init__(self, host: Visitor) -> None:
        self._host = host
        self._noted: dict[str, float] = {}
        host.context.add_init_script(f"({TAME_CAMERA})()")

    def note(self, name: str) -> None:
        self._noted[name] = float(self._host.page.evaluate("performance.now() / 1000"))

    def between_s(self, first: str, second: str) -> float:
        return self._noted[second] - self._noted[first]

    def assert_shows(self, video: Locator, at_s: float, name: str, later_s: float = 0) -> None:
        """At second `at_s` the video shows what was filmed `later_s` after the moment `name`."""
        red, green, blue = video.evaluate(COLOUR, at_s)
        shown_s = colorsys.rgb_to_hls(red, green, blue)[0] * ROUND_S
        off_s = (shown_s - self._noted[name] - later_s + ROUND_S / 2) % ROUND_S - ROUND_S / 2
        assert abs(off_s) < NEAR_S, f"second {at_s:.1f} is {off_s:+.1f} s from “{name}”"
