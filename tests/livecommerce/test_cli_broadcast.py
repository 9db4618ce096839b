"""`livecommerce broadcast` against a real instance: on the air, or refused with a reason."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_pipeline.demo_media import make_demo_video
from tests.livecommerce.command import livecommerce
from tests.server import Server, running_web

pytestmark = [pytest.mark.process, pytest.mark.ffmpeg]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    make_demo_video(path, duration_s=3)
    return str(path)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_web(tmp_path_factory.mktemp("instance")) as server:
        yield server


def show_of(server: Server) -> str:
    with sqlite3.connect(server.data / "livecommerce.sqlite3") as database:
        found: str = database.execute("select public_id from streams_show").fetchone()[0]
    return str(uuid.UUID(found))


def test_a_film_goes_on_the_air(instance: Server, film: str) -> None:
    arguments = ["--show", show_of(instance), "--url", instance.url]
    done = instance.run("broadcast", film, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("Done: 3 s live")


def test_a_wrong_key_is_refused_by_the_server(instance: Server, film: str) -> None:
    arguments = ["--show", show_of(instance), "--url", instance.url, "--key", "guessed"]
    done = instance.run("broadcast", film, *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "key is wrong" in done.stderr


def test_a_file_without_video_is_refused_here(instance: Server, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Li,")
    arguments = ["--show", show_of(instance), "--url", instance.url]
    done = instance.run("broadcast", str(tmp_path / "letter.txt"), *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be read" in done.stderr


def test_a_folder_in_which_nothing_was_started_is_named(tmp_path: Path, film: str) -> None:
    done = livecommerce("broadcast", film, "--show", str(uuid.uuid4()), data=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"The instance in {tmp_path} has no show" in done.stderr
    assert "LIVECOMMERCE_DATA=var/demo" in done.stderr
