"""A course with everything that can go along, and its file; and files that somebody changed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from courses.exchange import exporting
from courses.models import ClipSource, Course
from courses.quizzes import editing
from courses.quizzes.wording import Option, Written
from courses.services import attachments, authoring, editions
from media_pipeline.captions.cues import cue
from media_pipeline.captions.models import CaptionTrack
from media_pipeline.captions.tracks import rows
from media_pipeline.models import Asset, Recording
from media_pipeline.services import consents
from media_pipeline.storage import storage
from tests.courses.conftest import MakeClip
from tests.world import World

EVIDENCE = {
    "orders": 7, "orders_in_s": 40.0, "usual_orders": 1.0, "attributed": 5.0, "questions": 4,
    "usual_questions": 1.0, "topic": "taste", "topic_questions": 3, "messages": 20,
    "usual_messages": 5.0, "viewers_before": 10, "viewers_after": 30, "pinned": True,
    "flash": False,
}  # fmt: skip


def jpeg() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (90, 160), "green").save(written, "JPEG")
    return written.getvalue()


def stored() -> list[str]:
    """All that is in the storage of clips and of files beside lessons."""
    return [key for kind in ("clips", "attachments") for key in storage().keys(f"private/{kind}")]


def film_into(clip: Asset, film: bytes) -> Asset:
    """The files that `make_clip` only names, and the consent of its seller."""
    storage().write(clip.download_key, film)
    storage().write(clip.poster_key, jpeg())
    assert clip.created_by
    consents.give(clip, actor=clip.created_by, version=consents.VERSION, language="en")
    return clip


MakeTeaching = Callable[[bytes], Course]


@pytest.fixture
def make_teaching(world: World, make_clip: MakeClip) -> MakeTeaching:
    """Chen's published course of two lessons, the first with notes, file, captions and a quiz."""

    def make(film: bytes) -> Course:
        course = authoring.create_course(
            author=world.chen, title="苹果 on camera", summary="Show what you grow.", language="zh"
        )
        before = authoring.create_course(author=world.chen, title="First steps")
        course.prerequisites.set([before])
        first = film_into(make_clip("Picking", wish={"parts": [[5.0, 25.0]]}), film)
        Recording.objects.update(duration_s=60)
        lesson = authoring.add_lesson(course, first, "Picking")
        authoring.describe_lesson(lesson, title="Picking", notes="# Hold it\n\n- *near* the lens")
        file = SimpleUploadedFile("list.txt", "apples, 苹果".encode())
        attachments.attach(lesson, file, actor=world.chen)
        CaptionTrack.objects.create(
            recording=first.recording,
            language="zh",
            cues=rows([cue(6000, 9000, "好苹果 & 梨", [])]),
        )
        ClipSource.objects.filter(asset=first).delete()
        ClipSource.objects.create(
            asset=first, show_id=world.show.public_id, show_title="Apples", orders=7, pieces=9,
            seller_name="Zhang's orchard", place="Lixian", product="Huaniu", lot="2026-10",
            sold_minor=123456, currency="CNY", evidence=EVIDENCE,
        )  # fmt: skip
        _quiz(world, lesson)
        second = film_into(make_clip("Packing"), film)
        authoring.add_lesson(course, second, "Packing")
        course.lessons.filter(title="Packing").update(required_share=0.5)
        editions.publish(course)
        return course

    return make


def _quiz(world: World, lesson: Any) -> None:
    quiz = editing.quiz_for(lesson, world.chen)
    editing.set_rules(quiz, pass_percent=60, ends_at=None)
    asked = [
        Written("choice", "Which?", 1.0, [Option("red", True), Option("blue"), Option("green")]),
        Written("order", "In which order?", 2.0, [Option("pick"), Option("wash"), Option("pack")]),
        Written("number", "How heavy?", 3.0, value=5, tolerance=0.5, unit="kg"),
        Written("moment", "When?", 4.0, start_s=4, end_s=6),
    ]
    for one in asked:
        editing.add_question(quiz, one, world.chen)
    editing.publish(quiz, world.chen)


def exported(course: Course, to: Path) -> Path:
    with to.open("wb") as file:
        file.writelines(exporting.stream(exporting.planned(course, by=None)))
    return to


@pytest.fixture
def teaching(make_teaching: MakeTeaching, film: Path) -> Course:
    return make_teaching(film.read_bytes())


@pytest.fixture
def course_file(teaching: Course, tmp_path: Path) -> Path:
    return exported(teaching, tmp_path / "apples.livecourse.zip")


@pytest.fixture
def no_films(make_teaching: MakeTeaching, tmp_path: Path) -> Path:
    """As a course's file, but what it has for films cannot be watched: for what is found before."""
    return exported(make_teaching(b"not a film at all"), tmp_path / "none.livecourse.zip")


Change = Callable[[dict[str, bytes]], None]


def changed(file: Path, change: Change) -> Path:
    """The same archive after `change` of its entries, by name."""
    with zipfile.ZipFile(file) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    change(entries)
    made = file.with_name("changed.livecourse.zip")
    with zipfile.ZipFile(made, "w") as new:
        for name, data in entries.items():
            new.writestr(name, data)
    return made


def listed(entries: dict[str, bytes]) -> Any:
    return json.loads(entries["course.json"])


def with_list(file: Path, change: Callable[[Any], object]) -> Path:
    """The same archive with another list of contents."""

    def relist(entries: dict[str, bytes]) -> None:
        found = listed(entries)
        change(found)
        entries["course.json"] = json.dumps(found).encode()

    return changed(file, relist)
