"""Saving a course as a file, and making a draft of it, on the pages of those who make courses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory

from courses.exchange import importing, views
from courses.models import Course
from media_pipeline.models import Asset
from media_pipeline.services import consents
from tests.courses.exchange.conftest import MakeTeaching
from tests.courses.test_api import as_person
from tests.world import World


def posted(world: World, data: bytes, **more: str) -> HttpResponseBase:
    file = SimpleUploadedFile("a.livecourse.zip", data)
    return as_person(world.gao).post("/learn/import/", {"file": file, **more})


@pytest.mark.ffmpeg
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
def test_a_course_is_saved_and_taken_in_elsewhere(world: World, teaching: Course) -> None:
    path = f"/learn/{teaching.public_id}/export/"
    chen = as_person(world.chen)
    assert "Zhang&#x27;s orchard" in chen.get(path).content.decode()
    refused = chen.post(path)
    assert (refused.status_code, b"Ask the sellers first" in refused.content) == (409, True)
    saved = chen.post(path, {"sellers_know": "on"})
    assert saved["Content-Type"] == "application/zip"
    assert "livecourse.zip" in saved["Content-Disposition"]
    data = b"".join(saved)
    made = posted(world, data)
    course = Course.objects.get(created_by=world.gao)
    assert (made.status_code, made["Location"]) == (302, f"/learn/{course.public_id}/edit/")
    again = posted(world, data)
    assert (again.status_code, b'name="again"' in again.content) == (409, True)  # type: ignore[attr-defined]
    assert posted(world, data, again="on").status_code == 302
    assert Course.objects.filter(created_by=world.gao).count() == 2


def test_the_file_comes_block_by_block(world: World, make_teaching: MakeTeaching) -> None:
    """An answer that is not async would be gathered whole before its first byte is sent."""
    course = make_teaching(b"film")
    request = RequestFactory().post("/", {"sellers_know": "on"})
    request.user = world.chen
    answer = views.export(request, course.public_id)
    assert isinstance(answer, StreamingHttpResponse)
    assert answer.is_async


def test_what_stays_is_said(world: World, make_teaching: MakeTeaching) -> None:
    course = make_teaching(b"film")
    clip = Asset.objects.get(lessons__course=course, lessons__title="Picking")
    consents.withdraw(clip, actor=world.zhang)
    shown = as_person(world.chen).get(f"/learn/{course.public_id}/export/").content.decode()
    assert re.search("“Picking”: its seller has taken it back", shown)
    Course.objects.get(pk=course.pk).editions.all()[0].entries.filter(title="Packing").delete()
    empty = as_person(world.chen).get(f"/learn/{course.public_id}/export/").content.decode()
    assert "Nothing of this course can be exported" in empty
    assert "sellers_know" not in empty


def test_a_bad_file_is_said_beside_its_field(world: World, no_films: Path) -> None:
    for data, why in (
        (b"holiday", "not a course"),
        (no_films.read_bytes(), "Lesson 1, “Picking”"),
    ):
        answer = posted(world, data)
        assert answer.status_code == importing.InvalidInput.status
        assert why in answer.content.decode()  # type: ignore[attr-defined]
    nothing = as_person(world.gao).post("/learn/import/")
    assert "Choose a file first" in nothing.content.decode()
    assert not Course.objects.filter(created_by=world.gao).exists()
