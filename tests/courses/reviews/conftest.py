"""Wang's practice of twelve filmed seconds, handed in two hours ago."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from core.clock import now
from courses.models import Enrolment, Lesson
from courses.practice.models import Attempt, AttemptState, PracticeTask
from courses.reviews.services import Draft, Pinned
from media_pipeline.ingest import layout
from media_pipeline.services.takes import playable_takes
from streams.models import Audience, Show, ShowState
from tests.courses.conftest import course, enrolment, make_clip, packing, picking
from tests.media_pipeline.footage import Footage, folder_of, recording_of
from tests.world import World, show_of

__all__ = ["course", "enrolment", "make_clip", "packing", "picking"]

SECONDS = 12
HandIn = Callable[..., Attempt]


@pytest.fixture
def hand_in(world: World, enrolment: Enrolment, picking: Lesson) -> HandIn:
    return maker(world, enrolment, picking)


def maker(world: World, enrolment: Enrolment, lesson: Lesson) -> HandIn:
    task = PracticeTask.objects.create(lesson=lesson, brief="Sell five boxes of apples.")

    def hand_in(*, number: int = 1, hours_ago: float = 2, filmed: bool = False) -> Attempt:
        show = show_of(world.farm, world.zhang, "Practice")
        began = now() - timedelta(hours=hours_ago, minutes=5)
        Show.objects.filter(pk=show.pk).update(
            state=ShowState.ENDED, audience=Audience.INVITED, started_at=began
        )
        if filmed:
            film(show)
        return Attempt.objects.create(
            enrolment=enrolment,
            task=task,
            number=number,
            show_id=show.public_id,
            state=AttemptState.SUBMITTED,
            language="en",
            began_at=began,
            ended_at=began + timedelta(seconds=SECONDS),
            submitted_at=now() - timedelta(hours=hours_ago),
        )

    return hand_in


def film(show: Show) -> None:
    recording = recording_of(show, Footage(width=144, height=256, seconds=SECONDS), is_public=False)
    folder = layout.recording_folder(folder_of(recording))
    layout.write_playlists(folder, playable_takes(recording), ended=True)


@pytest.fixture
def attempt(hand_in: HandIn) -> Attempt:
    return hand_in()


def draft(*comments: tuple[float, str], revision: int = 1, **fields: object) -> Draft:
    given: dict[str, object] = {
        "tab": uuid4(),
        "revision": revision,
        "base": 0,
        "words": "",
        "marks": {},
        "comments": [Pinned(uuid4(), at_s, text) for at_s, text in comments],
    }
    return Draft(**(given | fields))  # type: ignore[arg-type]
