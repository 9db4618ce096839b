"""Who is promised the courses gets to their list, and not to the feed of lessons."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.test import Client

from courses.models import Enrolment, Lesson
from tests.courses.reviews.conftest import maker
from tests.courses.test_pages import as_person
from tests.world import World

WORDS = ("Find a course", "See the courses", "To the courses", "Courses")


def ways(client: Client, path: str) -> list[str]:
    """Where the page's links that speak of courses lead to."""
    html = client.get(path).content.decode()
    links = re.findall(r'<a[^>]* href="([^"]+)"[^>]*>(.*?)</a>', html, re.DOTALL)
    return [href for href, inside in links if re.sub(r"<[^>]+>", "", inside).strip() in WORDS]


@pytest.mark.parametrize(
    ("path", "count"),
    [("/learn/certificates/", 1), ("/learn/cohorts/", 1), ("/learn/reviews/", 2)],
)
def test_the_pages_lead_to_the_list(world: World, path: str, count: int) -> None:
    assert ways(as_person(world.chen), path) == ["/learn/courses/"] * count


@pytest.mark.parametrize("path", ["/verify/{}/", "/learn/join/{}/"])
def test_pages_of_what_is_not_there_do_too(world: World, path: str) -> None:
    assert ways(as_person(world.wang), path.format(uuid4())) == ["/learn/courses/"]


def test_a_practice_that_is_over_does_too(
    world: World, enrolment: Enrolment, picking: Lesson
) -> None:
    attempt = maker(world, enrolment, picking)()
    path = f"/learn/practice/join/{attempt.invite}/"
    assert ways(as_person(world.li), path) == ["/learn/courses/"]
