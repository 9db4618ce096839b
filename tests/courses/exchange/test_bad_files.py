"""Files that strangers made or lines damaged: each is refused in words, and nothing is left."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict, InvalidInput
from courses.exchange import importing, package
from courses.models import Attachment, ClipSource, Course
from media_pipeline import ffmpeg
from media_pipeline.models import Asset, Consent, Job, Recording
from media_pipeline.storage import work_folder
from tests.courses.exchange.conftest import changed, listed, stored, with_list
from tests.world import World


def everything() -> list[object]:
    rows = (Course, Asset, Recording, Consent, Attachment, ClipSource, Job)
    counts: list[object] = [row.objects.count() for row in rows]
    return [*counts, stored(), sorted(work_folder().iterdir())]


def refuses(file: Path, owner: Any, why: str) -> None:
    before = everything()
    with pytest.raises(InvalidInput, match=why) as error:
        importing.bring(file, owner=owner)
    assert error.value.field == "file"
    assert everything() == before


def test_what_is_no_archive(world: World, tmp_path: Path) -> None:
    for name, data in (("empty", b""), ("text", b"hello " * 99), ("pdf", b"%PDF-1.7 " * 9)):
        (tmp_path / name).write_bytes(data)
        refuses(tmp_path / name, world.chen, "not a course's file")


def test_an_archive_of_something_else(world: World, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("holiday.jpg", b"beach")
    refuses(tmp_path / "a.zip", world.chen, "“holiday.jpg” has no place")


@pytest.mark.parametrize("left", [0.1, 0.5, 0.99])
def test_a_file_that_did_not_arrive_whole(world: World, no_films: Path, left: float) -> None:
    data = no_films.read_bytes()
    no_films.write_bytes(data[: int(len(data) * left)])
    refuses(no_films, world.chen, "did not arrive whole")


def test_a_damaged_directory(world: World, no_films: Path) -> None:
    data = bytearray(no_films.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at : at + 4] = b"XXXX"
    no_films.write_bytes(bytes(data))
    refuses(no_films, world.chen, "did not arrive whole")


def test_bytes_that_changed_on_the_way(world: World, no_films: Path) -> None:
    data = no_films.read_bytes()
    no_films.write_bytes(data.replace(b"not a film at all", b"not a film at ALL"))
    refuses(no_films, world.chen, "Lesson 1, “Picking”: This file did not arrive whole")


def test_another_file_than_the_list_names(world: World, no_films: Path) -> None:
    def swap(entries: dict[str, bytes]) -> None:
        entries["lessons/001/film.mp4"] = b"another, as long!"

    refuses(changed(no_films, swap), world.chen, "film.mp4” is not the file that the list")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt", "/etc/evil", "lessons/../../evil", "lessons\\001\\film.mp4", "C:evil",
        "lessons/001/", "lessons/001/film.mp4\0.txt", "lessons/001/evil.html", "lessons/1/film.mp4",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere(world: World, no_films: Path, name: str) -> None:
    with zipfile.ZipFile(no_films, "a") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        archive.writestr(info, b"")
    refuses(no_films, world.chen, "has no place in a course's file")


def test_links(world: World, no_films: Path) -> None:
    with zipfile.ZipFile(no_films, "a") as archive:
        info = zipfile.ZipInfo("lessons/009/film.mp4")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, b"/etc/passwd")
    refuses(no_films, world.chen, "is no plain file")


def test_a_locked_file(world: World, no_films: Path) -> None:
    data = bytearray(no_films.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    no_films.write_bytes(bytes(data))
    refuses(no_films, world.chen, "locked with a password")


def test_a_name_twice(world: World, no_films: Path) -> None:
    with zipfile.ZipFile(no_films, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("course.json", b"{}")
    refuses(no_films, world.chen, "“course.json” is in it twice")


def bomb(path: Path, size: int, name: str = "lessons/001/film.mp4") -> Path:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w") as out,
    ):
        for _number in range(size // 2**20):
            out.write(bytes(2**20))
    return path


def test_what_bursts_when_it_is_opened(world: World, tmp_path: Path) -> None:
    refuses(bomb(tmp_path / "a.zip", 50 * 2**20), world.chen, "Unpacked, this file would be too")
    refuses(bomb(tmp_path / "b.zip", 201 * 2**20), world.chen, "film.mp4” is too large")
    refuses(bomb(tmp_path / "c.zip", 11 * 2**20, "course.json"), world.chen, "json” is too large")


def test_a_size_that_is_a_lie(world: World, tmp_path: Path) -> None:
    """The list of entries says little, and much comes out: no more of it is read than was said."""
    file = bomb(tmp_path / "a.zip", 50 * 2**20, "course.json")
    data = bytearray(file.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<L", 1000)
    file.write_bytes(bytes(data))
    refuses(file, world.chen, "did not arrive whole|is not as it should be")


def test_too_much_together(world: World, no_films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MOST_BYTES", no_films.stat().st_size)
    with zipfile.ZipFile(no_films) as archive:
        whole = sum(info.file_size for info in archive.infolist())
    monkeypatch.setattr(package, "MOST_BYTES", whole - 1)
    refuses(no_films, world.chen, "too large")
    monkeypatch.setattr(package, "MOST_BYTES", no_films.stat().st_size - 1)
    refuses(no_films, world.chen, "a course has at most")


def test_too_many_entries(world: World, tmp_path: Path) -> None:
    for count in (package.MOST_ENTRIES + 1, 40_000):  # the latter are not even listed
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for number in range(count):
                archive.writestr(f"lessons/{number:03d}/film.mp4", b"")
        refuses(tmp_path / "a.zip", world.chen, "too many files")


def without_list(entries: dict[str, bytes]) -> None:
    del entries["course.json"]


def without_film(entries: dict[str, bytes]) -> None:
    del entries["lessons/002/film.mp4"]


def with_more(entries: dict[str, bytes]) -> None:
    entries["lessons/003/film.mp4"] = b"more"


def longer(entries: dict[str, bytes]) -> None:
    entries["lessons/002/film.mp4"] += b"!"


def not_json(entries: dict[str, bytes]) -> None:
    entries["course.json"] = b"\xff\xfe hello"


def deep(entries: dict[str, bytes]) -> None:
    entries["course.json"] = b'{"x":' + b"[" * 1_000_000


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without_list, "no list of contents"),
        (without_film, "“lessons/002/film.mp4” is missing"),
        (with_more, "“lessons/003/film.mp4” has no place"),
        (longer, "film.mp4” is not the file"),
        (not_json, "is not as it should be"),
        (deep, "is not as it should be"),
    ],
)
def test_what_is_not_there_or_too_much(
    world: World, no_films: Path, change: Callable[[dict[str, bytes]], None], why: str
) -> None:
    refuses(changed(no_films, change), world.chen, why)


def sets(path: str, value: object) -> Callable[[Any], None]:
    """Put `value` at `path` ("lessons.0.title") of the list."""

    def change(found: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            found = found[int(step) if step.isdigit() else step]
        found[int(last) if last.isdigit() else last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("version", 2, "has version 2"),
        ("version", "1", "is not as it should be"),
        ("format", "scorm", "not a course's file"),
        ("title", 7, r"\$\.title"),
        ("title", "x" * 121, r"\$\.title"),
        ("title", " \u200b ", "Please fill this in"),
        ("summary", "x" * 1001, r"\$\.summary"),
        ("language", "Chinese!", r"\$\.language"),
        ("prerequisites", ["x"] * 6, r"\$\.prerequisites"),
        ("lessons", [], r"\$\.lessons"),
        ("lessons", {}, r"\$\.lessons"),
        ("surprise", 1, "surprise"),
        ("lessons.0.notes", "x" * 6001, "notes"),
        ("lessons.0.required_share", 1.0, "required_share"),
        ("lessons.0.film.sha256", "0" * 64, "is not the file"),
        ("lessons.0.film.sha256", "abc", "sha256"),
        ("lessons.0.film.size", -1, "size"),
        ("lessons.0.film.name", "../../etc/passwd", "is missing"),
        ("lessons.0.film.name", "lessons/002/film.mp4", "names a file twice"),
        ("lessons.0.consent.given_at", "2990-01-01T00:00:00Z", "a date that cannot be"),
        ("lessons.0.consent.given_at", "2020-01-01T00:00:00", "given_at"),
        ("lessons.0.consent.wording", "", "wording"),
        ("lessons.0.consent", None, "consent"),
        ("lessons.0.attachments.0.name", "evil.exe", "cannot be attached"),
        ("lessons.0.attachments.0.name", "list.pdf", "not what its name says"),
        ("lessons.0.attachments.0.name", "..", "has no place"),
        ("lessons.0.attachments.0.name", "list.txt/", "has no place"),
        ("lessons.0.captions.0.language", "zh'; drop", "language"),
        ("lessons.0.quiz.pass_percent", 0, "pass_percent"),
        ("lessons.0.quiz.questions.0.kind", "essay", "kind"),
        ("lessons.0.source.orders", -1, "orders"),
        ("lessons.0.source.orders", 10**40, "orders"),
        ("lessons.0.source.evidence.topic", 5, "topic"),
    ],
)
def test_lists_that_are_wrong(
    world: World, course_or_none: Path, path: str, value: object, why: str
) -> None:
    refuses(with_list(course_or_none, sets(path, value)), world.chen, why)


@pytest.fixture
def course_or_none(request: pytest.FixtureRequest) -> Path:
    """With real films only where they are looked at before what is wrong."""
    needs_films = ("attachments", "Please fill", "drop ")
    said = str(request.node.callspec.params)
    name = "course_file" if any(one in said for one in needs_films) else "no_films"
    file: Path = request.getfixturevalue(name)
    return file


def test_a_gigantic_text(world: World, no_films: Path) -> None:
    refuses(with_list(no_films, sets("title", "x" * 9_000_000)), world.chen, r"\$\.title")


def test_a_film_that_is_no_film(world: World, no_films: Path) -> None:
    refuses(no_films, world.chen, "Lesson 1, “Picking”: This video cannot be read")


def with_film(file: Path, film: bytes, lesson: str = "002") -> Path:
    """Another film in a lesson, of which the list knows."""

    def change(entries: dict[str, bytes]) -> None:
        name = f"lessons/{lesson}/film.mp4"
        found = listed(entries)
        entries[name] = film
        digest = hashlib.sha256(film).hexdigest()
        found["lessons"][int(lesson) - 1]["film"] = {
            "name": name, "size": len(film), "sha256": digest
        }  # fmt: skip
        entries["course.json"] = json.dumps(found).encode()

    return changed(file, change)


@pytest.fixture
def long_film(tmp_path: Path, film: Path) -> bytes:
    """The film ten times: more than three minutes."""
    path = tmp_path / "long.mp4"
    line = [ffmpeg.ffmpeg_path(), "-nostdin", "-loglevel", "error", "-stream_loop", "9"]
    subprocess.run([*line, "-i", film, "-c", "copy", path], check=True, timeout=60)
    return path.read_bytes()


def test_a_film_of_more_than_three_minutes(
    world: World, course_file: Path, long_film: bytes
) -> None:
    refuses(with_film(course_file, long_film), world.chen, "three minutes long at most")


def test_a_film_of_another_kind(world: World, course_file: Path, vp8_film: Path) -> None:
    file = with_film(course_file, vp8_film.read_bytes())
    refuses(file, world.chen, "Lesson 2, “Packing”: It is not as lessons are here")


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("lessons.0.quiz.questions.3.end_s", 90.0, "a moment inside the lesson"),
        ("lessons.0.quiz.questions.0.options", [], "Write 2 to 8 lines"),
        ("lessons.0.chapters", [{"start_s": 5, "end_s": 99, "text": "x"}], "A chapter lies"),
        ("lessons.0.chapters", [{"start_s": 9, "end_s": 5, "text": "x"}], "A chapter lies"),
    ],
)
def test_times_outside_of_the_film(
    world: World, course_file: Path, path: str, value: object, why: str
) -> None:
    refuses(with_list(course_file, sets(path, value)), world.chen, why)


@pytest.mark.ffmpeg
def test_a_failure_at_the_very_end_leaves_nothing(
    world: World, course_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()

    def fails(*_given: object, **_named: object) -> None:
        raise OSError("the disk is away")

    monkeypatch.setattr("courses.exchange.rows._add_quiz", fails)
    with pytest.raises(OSError, match="the disk is away"):
        importing.bring(course_file, owner=world.chen)
    assert everything() == before


def test_a_full_disk(world: World, no_films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "SPARE", 10**18)
    with pytest.raises(Conflict, match="not enough room"):
        importing.bring(no_films, owner=world.chen)


def test_the_unchanged_file_is_taken(world: World, course_file: Path) -> None:
    """So that what is refused above is refused for what was changed."""
    again = changed(course_file, lambda entries: None)
    assert importing.bring(again, owner=world.chen).course.lessons.count() == 2
