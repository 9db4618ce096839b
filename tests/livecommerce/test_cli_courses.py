"""`livecommerce course-export` and `course-import`, as operators of two counties type them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from courses.models import Course
from livecommerce.cli import main
from media_pipeline.models import Asset
from media_pipeline.services import consents
from tests.courses.conftest import make_clip  # noqa: F401 - a fixture of the next
from tests.courses.exchange.conftest import MakeTeaching, make_teaching  # noqa: F401 - likewise
from tests.livecommerce.command import livecommerce, migrate
from tests.world import PASSWORD, World


@pytest.fixture(autouse=True)
def database_is_up_to_date(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("livecommerce.cli.need_database", lambda: None)
    monkeypatch.chdir(tmp_path)


def said(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def apples(make_teaching: MakeTeaching, film: Path) -> Course:  # noqa: F811
    return make_teaching(film.read_bytes())


def test_nothing_is_written_before_the_sellers_know(apples: Course, tmp_path: Path) -> None:
    found = said("course-export", str(apples.public_id))
    assert (found.exit_code, "Zhang's orchard" in found.output) == (1, True)
    assert list(tmp_path.glob("*.zip")) == []


def test_what_stays_here_is_said(world: World, apples: Course, tmp_path: Path) -> None:
    clip = Asset.objects.get(lessons__course=apples, lessons__title="Packing")
    consents.withdraw(clip, actor=world.zhang)
    found = said("course-export", str(apples.public_id), "--sellers-know")
    assert "lessons: 1" in found.output
    assert "Left out: “Packing”: its seller has taken it back." in found.output
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == [
        "苹果-on-camera.livecourse.zip"
    ]
    again = said("course-export", str(apples.public_id), "--sellers-know")
    assert (again.exit_code, "is there already" in again.output) == (1, True)


def test_mistakes_are_said_in_a_line(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"holiday")
    for arguments, why in (
        (["course-export", "apples"], "no course of this id"),
        (["course-export", "01a20681-2ab0-76b5-afc6-e0e40ce85208"], "no course of this id"),
        (["course-import", "a.zip", "--author", "li"], "Nobody called li makes courses"),
        (["course-import", "a.zip", "--author", "chen"], "not a course's file"),
    ):
        found = said(*arguments)
        assert (found.exit_code, why in found.output) == (1, True), found.output


@pytest.mark.process
@pytest.mark.ffmpeg
def test_from_one_county_to_another_and_on(apples: Course, tmp_path: Path) -> None:
    """Three databases and storages: what comes back out of the second is what went in."""
    first = tmp_path / "first.livecourse.zip"
    assert said("course-export", str(apples.public_id), str(first), "--sellers-know").exit_code == 0
    second = tmp_path / "second.livecourse.zip"
    made = _imported(tmp_path / "lixian", first)
    done = livecommerce(
        "course-export", made, str(second), "--sellers-know", data=tmp_path / "lixian"
    )
    assert done.returncode == 0, done.stderr
    _imported(tmp_path / "minxian", second)
    assert _told(tmp_path / "minxian") == _told(tmp_path / "lixian")
    films = sorted(path.read_bytes() for path in (tmp_path / "minxian").rglob("clip.mp4"))
    assert films == sorted(path.read_bytes() for path in (tmp_path / "lixian").rglob("clip.mp4"))
    assert len(films) == 2
    once_more = livecommerce(
        "course-import", str(second), "--author", "zhao", data=tmp_path / "minxian"
    )
    assert (once_more.returncode, "This very file" in once_more.stderr) == (1, True)
    by_choice = livecommerce(
        "course-import", str(second), "--author", "zhao", "--again", data=tmp_path / "minxian"
    )
    assert by_choice.returncode == 0, by_choice.stderr


def _imported(county: Path, file: Path) -> str:
    """The id of the draft in a new instance."""
    county.mkdir()
    migrate(county)
    operator = livecommerce("operator", "zhao", "--password-stdin", data=county, given=PASSWORD)
    assert operator.returncode == 0, operator.stderr
    done = livecommerce("course-import", str(file), "--author", "zhao", data=county)
    assert done.returncode == 0, done.stderr
    is_first = "first" in file.name  # where it goes on from, nothing comes before it any more
    assert ("Not here, though to be finished before it: First steps" in done.stdout) is is_first
    return done.stdout.splitlines()[0].rpartition(" ")[2]


def _told(county: Path) -> list[tuple[object, ...]]:
    """What trainees and sellers would see of it, and whose word it stands on."""
    with sqlite3.connect(county / "livecommerce.sqlite3") as database:
        found = [
            *database.execute("SELECT title, summary, language FROM courses_course"),
            *database.execute("SELECT title, notes FROM courses_editionlesson ORDER BY position"),
            *database.execute("SELECT wording, version, language, given_at FROM"
                              " media_pipeline_consent ORDER BY clip_title"),
            *database.execute("SELECT text, kind FROM quizzes_wording ORDER BY id"),
            *database.execute("SELECT cues FROM captions_captiontrack"),
            *database.execute("SELECT seller_name, lot, orders FROM courses_clipsource"
                              " ORDER BY product"),
        ]  # fmt: skip
    assert len(found) > 10
    return found
