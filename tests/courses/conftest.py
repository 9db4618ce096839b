"""What the trainees learn from: clips as the pipeline leaves them, and a course of two lessons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.clock import now
from courses.models import Course, Enrolment, Lesson
from courses.services import authoring, learning
from media_pipeline.models import Asset, AssetKind, AssetState, Recording
from tests.world import World

MakeClip = Callable[..., Asset]


def titles(course: Course) -> list[str]:
    """As its authors see it: in the draft, where there is one."""
    edition = course.editions.order_by("-number").first()
    return [entry.title for entry in edition.entries.all()] if edition else []


@pytest.fixture
def make_clip(world: World) -> MakeClip:
    recording = Recording.objects.create(show_id=world.show.public_id, is_public=True)

    def make(title: str = "Picking", *, duration_s: float = 20, **fields: object) -> Asset:
        clip = Asset(
            kind=AssetKind.CLIP,
            recording=recording,
            is_public=True,
            title=title,
            state=AssetState.READY,
            duration_s=duration_s,
            created_by=world.zhang,
            consented_at=now(),
        )
        folder = f"private/clips/{clip.public_id}"
        clip.download_key, clip.poster_key = f"{folder}/clip.mp4", f"{folder}/poster.jpg"
        for name, value in fields.items():
            setattr(clip, name, value)
        clip.save()
        return clip

    return make


@pytest.fixture
def course(world: World, make_clip: MakeClip) -> Course:
    """Published, with the lessons "Picking" and "Packing" of 20 s each."""
    course = authoring.create_course(
        author=world.chen, title="Apples on camera", summary="Show what you grow."
    )
    for title in ("Picking", "Packing"):
        authoring.add_lesson(course, make_clip(title), title)
    authoring.publish(course)
    return course


@pytest.fixture
def draft(world: World, make_clip: MakeClip) -> Course:
    """Zhang's own draft with three lessons."""
    course = authoring.create_course(author=world.zhang, title="Pears")
    for title in ("One", "Two", "Three"):
        authoring.add_lesson(course, make_clip(title), title)
    return course


@pytest.fixture
def picking(course: Course) -> Lesson:
    return course.lessons.get(title="Picking")


@pytest.fixture
def packing(course: Course) -> Lesson:
    return course.lessons.get(title="Packing")


@pytest.fixture
def enrolment(world: World, course: Course) -> Enrolment:
    """Wang joined an hour ago: enough time to have watched everything."""
    enrolment = learning.enrol(world.wang, course)
    enrolment.started_at = now() - timedelta(hours=1)
    enrolment.save(update_fields=["started_at"])
    return enrolment
