"""The wheel, in an empty environment elsewhere: from an empty folder to a rehearsal's picture."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import Parser
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.livecommerce.command import ROOT, Running, environment
from tests.server import free_port_everywhere
from tests.story.browser import Visitor, assert_plays, chromium

pytestmark = [pytest.mark.process, pytest.mark.browser]

PLAYER = Path("livecommerce/static/vendor/hls.mjs")
BUILD = "import setuptools.build_meta as backend; print(backend.build_{kind}('dist'))"


def build(kind: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """What `python -m build` asks of the folder: an "sdist" or a "wheel", in its `dist`."""
    return subprocess.run(
        [sys.executable, "-c", BUILD.format(kind=kind)],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone has: no player, nothing compiled."""
    folder = tmp_path_factory.mktemp("source")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `python -m build` makes it: from what it packed as source before."""
    packed = build("sdist", source)
    assert packed.returncode == 0, packed.stderr
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(next((source / "dist").glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    # Set-up has brought it from npm, by the same lock: another download would prove nothing.
    (unpacked / PLAYER).parent.mkdir(exist_ok=True)
    shutil.copyfile(ROOT / PLAYER, unpacked / PLAYER)
    built = build("wheel", unpacked)
    assert built.returncode == 0, built.stderr
    return next((unpacked / "dist").glob("*.whl"))


def test_a_build_without_the_player_says_what_to_do(source: Path) -> None:
    failed = build("wheel", source, PATH="/nowhere")
    assert failed.returncode != 0
    assert "hls.js, which plays the shows, is not in this folder" in failed.stderr
    assert "Install Node.js 18 or newer with npm" in failed.stderr


def test_it_has_all_that_the_product_reads_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (described,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(described).decode())
    listed = subprocess.run(
        ["git", "ls-files", "*/templates/*", "*/static/*", "*/locale/*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ours = {name for name in listed if not name.startswith("tests/")}
    assert ours - names == set()
    assert str(PLAYER) in names
    catalogues = {
        f"livecommerce/locale/zh_Hans/LC_MESSAGES/{one}.mo" for one in ("django", "djangojs")
    }
    assert catalogues <= names
    assert not {name for name in names if name.startswith(("tests/", "bench/", "scripts/"))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    everywhere = [one for one in metadata.get_all("Requires-Dist") or [] if "extra ==" not in one]
    assert len(everywhere) == len(project["dependencies"])


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that has the wheel.

    What the wheel needs is taken from this environment, where it is installed by the lock already;
    the product that is there is not: a folder that a .pth file names has its own ones not read.
    """
    folder = tmp_path_factory.mktemp("elsewhere") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    here = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*here, "--no-deps", "--no-index", str(wheel)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "locked.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin"


@contextmanager
def up(installed: Path, folder: Path) -> Iterator[str]:
    """`livecommerce up` in an empty folder, with nothing set; and its first-run page's address."""
    port = str(free_port_everywhere())
    env = {**environment(folder), "PORT": port}
    del env["LIVECOMMERCE_DATA"]  # what it makes is in the folder where it is started
    env.pop("PYTHONPATH", None)
    with Running([str(installed / "livecommerce"), "up"], env, cwd=folder) as running:
        running.wait_for("ready: ", within_s=120)
        (page,) = re.findall(r"http://\S+", running.wait_for("/first-run/"))
        try:
            yield page
        finally:
            print("\n".join(running.rest()))  # shown where the test fails
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(20) == 0


def test_from_an_empty_folder_to_a_rehearsal_with_a_live_picture(
    installed: Path, tmp_path: Path
) -> None:
    with up(installed, tmp_path) as address, chromium() as browser:
        site, _, path = address.partition("/first-run/")
        zhao, li = Visitor(browser, site), Visitor(browser, site)
        fill_in_first_run(zhao.open(f"/first-run/{path}"))
        zhao.page.wait_for_url("**/studio/", timeout=60_000)
        expect(zhao.page.locator("body")).to_contain_text("Lixian Apples")
        room = rehearse(zhao)
        assert_plays(zhao.page.locator("#echo-video"))
        refused = li.page.goto(site + room)
        assert refused is not None
        assert refused.status == 404, "nobody else sees it"
        zhao.page.click("#end-show")
        zhao.page.click("#end-yes")
        expect(zhao.page.locator("#replay")).to_be_visible(timeout=60_000)
        assert zhao.faults == []
        assert li.faults == []
    assert (tmp_path / "var/instance/livecommerce.sqlite3").exists()


def fill_in_first_run(page: Page) -> None:
    page.fill("[name=name]", "Lixian Apples")
    page.fill("[name=username]", "zhao")
    page.fill("[name=password]", "under-the-old-tree")
    page.fill("[name=seller_name]", "Zhang's Orchard")
    page.locator("main form .button--primary").click()


def rehearse(host: Visitor) -> str:
    """A product, and a rehearsal with its camera, as the list on the studio's home leads to them.

    The address of its room.
    """
    page = host.page
    page.locator("#first-show [data-step=products] a").click()
    said = {"title": "Apples", "variant_title": "5 kg box", "price": "39.90", "on_hand": "10"}
    for name, text in said.items():
        page.fill(f"main [name={name}]", text)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(lambda url: not url.endswith("/new/"))
    host.open("/studio/")
    expect(page.locator("#first-show [data-step=stock]")).to_have_attribute("data-done", "")
    page.locator("#first-show [data-step=rehearsal] a").click()
    page.get_by_role("button", name="Open the rehearsal").click()
    page.wait_for_url(re.compile(r"/studio/shows/[0-9a-f-]{36}/"))
    found = re.search(r"/shows/[0-9a-f-]{36}/", page.url)
    assert found is not None
    button = page.locator("#go-live")
    expect(button).to_be_enabled()
    button.click()
    expect(page.locator("#end-show")).to_be_visible(timeout=30_000)
    return found[0]
