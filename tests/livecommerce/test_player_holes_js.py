"""A replay whose takes do not meet: whoever looks for a second close before the hole sees one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

import livecommerce
from media_pipeline import ffmpeg
from tests.story.browser import chromium

pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg]

STATIC = Path(str(livecommerce.__file__)).parent / "static"
TAKE_S = 2
SOUND_LATE_S = 0.08
"""A browser shows what has picture and sound: this is a hole where the second take begins."""

OPENED = """async () => {
  const { attachHls } = await import("http://pages/livecommerce/player.js");
  const video = document.querySelector("video");
  globalThis.attached = await attachHls(video, "http://pages/film/replay.m3u8");
}"""
BUFFERED = """() => {
  const { buffered } = document.querySelector("video");
  return Array.from(buffered, (_, n) => [buffered.start(n), buffered.end(n)]);
}"""
LOOK_AT = """async (second) => {
  const video = document.querySelector("video");
  const there = new Promise((done, never) => {
    video.addEventListener("seeked", done, { once: true });
    setTimeout(() => never(new Error(`nothing is shown of second ${second}`)), 10_000);
  });
  video.currentTime = second;
  await there;
  return video.currentTime;
}"""


def take(folder: Path, *, sound_from_s: float) -> str:
    """A take of `TAKE_S` seconds as HLS; its part of a playlist."""
    folder.mkdir(parents=True)
    picture = ["-f", "lavfi", "-i", f"testsrc=size=160x120:rate=30:duration={TAKE_S}"]
    sound = ["-itsoffset", str(sound_from_s), "-f", "lavfi", "-i", f"sine=duration={TAKE_S}"]
    coded = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "30", "-c:a", "aac"]
    hls = ["-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "1", "-hls_list_size", "0"]
    line = ffmpeg.command([*picture, *sound, *coded, *hls, str(folder / "take.m3u8")])
    subprocess.run(line, check=True, cwd=folder, timeout=60)
    lines = (folder / "take.m3u8").read_text().splitlines()
    own = [one for one in lines if one.startswith("#EXTINF") or not one.startswith("#")]
    named = [one if one.startswith("#") else f"{folder.name}/{one}" for one in own]
    return "\n".join([f'#EXT-X-MAP:URI="{folder.name}/init.mp4"', *named, ""])


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    takes = [take(tmp_path / "a", sound_from_s=0), take(tmp_path / "b", sound_from_s=SOUND_LATE_S)]
    head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    whole = head + "#EXT-X-DISCONTINUITY\n".join(takes) + "#EXT-X-ENDLIST\n"
    (tmp_path / "replay.m3u8").write_text(whole)

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix("http://pages/")
        if not path:
            route.fulfill(body="<video muted></video>", content_type="text/html")
        else:
            root, name = (tmp_path, path[5:]) if path.startswith("film/") else (STATIC, path)
            route.fulfill(path=root / name)

    with chromium() as browser:
        page = browser.new_page()
        page.route("http://pages/**", serve)
        page.goto("http://pages/")
        page.evaluate(OPENED)
        yield page


def test_a_moment_close_before_a_hole_is_shown_while_the_film_stands_still(page: Page) -> None:
    page.wait_for_function(f"({BUFFERED})().length === 2")
    [(_, end), (start, _)] = page.evaluate(BUFFERED)
    assert 0.02 < start - end < 0.5
    for before_s in (0.3, 0.15, 0.1, 0.05, 0.02, -0.01):
        page.evaluate(LOOK_AT, 0.5)
        shown = page.evaluate(LOOK_AT, end - before_s)
        assert shown == pytest.approx(end - before_s, abs=0.5)


def test_where_nothing_is_missing_nothing_is_stepped_over(page: Page) -> None:
    page.wait_for_function(f"({BUFFERED})().length === 2")
    assert page.evaluate(LOOK_AT, 1.0) == pytest.approx(1.0, abs=0.001)
    after = page.evaluate(
        """async () => {
          const { afterHole } = await import("http://pages/livecommerce/player.js");
          const ranges = (...pairs) => ({
            length: pairs.length, start: (n) => pairs[n][0], end: (n) => pairs[n][1],
          });
          return [
            afterHole(ranges([0, 4], [4.05, 9]), 3.9), // before it
            afterHole(ranges([0, 4], [4.05, 9]), 4.02), // in it
            afterHole(ranges([0, 4], [4.05, 9]), 3.4), // there is enough to show
            afterHole(ranges([0, 4], [4.05, 9]), 4.1), // behind it
            afterHole(ranges([0, 4], [8, 9]), 3.9), // what lacks will be fetched
            afterHole(ranges([2, 4]), 1.9), // likewise
            afterHole(ranges(), 1),
          ];
        }"""
    )
    assert after == [4.05, 4.05, None, None, None, None, None]
