"""The list of courses, narrowed to those that are taught in one language."""

from __future__ import annotations

import pytest
from django.test import Client

from courses.models import Course
from courses.services import authoring
from tests.courses.conftest import MakeClip
from tests.world import World

ALL = "/learn/courses/"


@pytest.fixture
def tibetan(world: World, course: Course, make_clip: MakeClip) -> Course:
    """Beside the English course."""
    Course.objects.filter(pk=course.pk).update(language="en")
    made = authoring.create_course(author=world.chen, title="Barley on camera", language="bo")
    authoring.add_lesson(made, make_clip("Barley"), "Barley")
    authoring.publish(made)
    return made


def seen(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode().partition('<main id="content"')[2]


def test_only_courses_in_that_language_are_shown(
    client: Client, course: Course, tibetan: Course
) -> None:
    html = seen(client, f"{ALL}?spoken=bo")
    assert tibetan.title in html
    assert course.title not in html
    assert 'lang="bo" aria-current="true"' in html


def test_without_one_all_are_there_with_the_way_to_each(
    client: Client, course: Course, tibetan: Course
) -> None:
    html = seen(client, ALL)
    assert tibetan.title in html
    assert course.title in html
    assert f'href="{ALL}?spoken=bo"' in html
    assert f'href="{ALL}?spoken=en"' in html


def test_where_all_speak_one_language_nothing_is_offered(client: Client, course: Course) -> None:
    Course.objects.update(language="en")
    assert "?spoken=" not in seen(client, ALL)


@pytest.mark.parametrize("language", ["fr", "%3Cscript%3E", "x" * 3000])
def test_a_language_that_nobody_teaches_in_is_said_to_be_none(
    client: Client, tibetan: Course, language: str
) -> None:
    html = seen(client, f"{ALL}?spoken={language}")
    assert "No course is in this language" in html
    assert "See all courses" in html
    assert tibetan.title not in html
    assert f"spoken={language}" not in html
