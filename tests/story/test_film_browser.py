"""A film from a gallery, in a real browser: the network breaks, the page is closed, it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from media_pipeline import ffmpeg
from tests.media_pipeline.stores import new_bucket, s3
from tests.s3_server import S3Server
from tests.server import Server, running_instance
from tests.story.browser import Visitor, assert_plays, chromium, eventually
from tests.streams.test_studio_browser import Network

__all__ = ["s3"]
pytestmark = [pytest.mark.browser, pytest.mark.ffmpeg]


class Uplink(Network):
    """Through a buffer of a phone's size eight megabytes would take minutes here."""

    buffer = 256 * 1024


@pytest.fixture(scope="module")
def big_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 s that do not compress: 20 MB, so three parts."""
    path = tmp_path_factory.mktemp("gallery") / "苹果 & pears.mov"
    picture = "color=gray:s=640x360:r=30,noise=alls=100:allf=t"
    args = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=440:r=48000", "-t", "8"]
    args += ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "20M", "-maxrate", "20M"]
    args += ["-bufsize", "4M", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    ffmpeg.run(args, timeout_s=60)
    assert path.stat().st_size > 2 * 8 * 2**20
    return path


@contextmanager
def instance_of(
    place: str, data: Path, server: S3Server, patch: pytest.MonkeyPatch
) -> Iterator[tuple[Server, Network]]:
    """The instance, and the network over which its browser sends parts."""
    if place == "disk":
        with running_instance(data) as instance:
            yield instance, Uplink(instance.url)
        return
    bucket, network = new_bucket(server), Uplink(f"http://{server.address}")
    for name, value in {
        "S3_BUCKET": bucket.name,
        "S3_ENDPOINT_URL": bucket.endpoint_url,
        "S3_PUBLIC_URL": network.url,
        "S3_ACCESS_KEY_ID": bucket.key_id,
        "S3_SECRET_ACCESS_KEY": bucket.secret,
    }.items():
        patch.setenv(name, value)
    with running_instance(data) as instance:
        rule = {
            "AllowedOrigins": [instance.url],
            "AllowedMethods": ["GET", "HEAD", "PUT"],
            "AllowedHeaders": ["*"],
        }
        server.client().put_bucket_cors(Bucket=bucket.name, CORSConfiguration={"CORSRules": [rule]})
        yield instance, network


@pytest.mark.parametrize("place", ["disk", "bucket"])
def test_a_film_arrives_over_a_network_that_breaks_and_a_page_that_is_closed(
    place: str,
    big_film: Path,
    s3: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with (
        instance_of(place, tmp_path / "data", s3, monkeypatch) as (instance, network),
        chromium() as browser,
    ):
        host = Visitor(browser, network.url if place == "disk" else instance.url)
        host.sign_in("zhang")
        network.uplink_kbit = 40_000
        page = host.open("/studio/films/")
        choose(page, big_film)
        until_sent(page, 0.3)
        network.down()
        expect(page.locator("[data-says]").first).to_contain_text("No network")
        network.up()
        until_sent(page, 0.5)
        page.close()  # half of it is there
        host.page = host.context.new_page()
        page = host.open("/studio/films/")
        expect(page.locator("[data-says]").first).to_contain_text("Choose the same file again")
        network.uplink_kbit = 10_000_000
        choose(page, big_film)
        expect(page.locator("[data-id]")).to_have_count(1)
        expect(page.locator("[data-id]").first).to_have_attribute(
            "data-state", "ready", timeout=90_000
        )
        page.locator("[data-open]").first.click()
        video = page.locator("video").first
        eventually(lambda: moved(place, instance), within_s=90, what="the recording moves")
        page.reload()
        video.evaluate("video => { video.muted = true; return video.play(); }")
        assert_plays(video)
        assert host.faults == []
        network.close()


def choose(page: Page, film: Path) -> None:
    page.locator("input[type=file]").set_input_files(film)


def until_sent(page: Page, share: float) -> None:
    bar = page.locator("[data-id] progress").first
    eventually(
        lambda: bar.evaluate("bar => bar.value") >= share, within_s=30, what=f"{share:.0%} sent"
    )


def moved(place: str, instance: Server) -> bool:
    """Whether the recording is where it stays: with a bucket, nothing of it is on the disk."""
    left = list((instance.data / "media" / "private").glob("recordings/*/replay.m3u8"))
    return not left if place == "bucket" else bool(left)
