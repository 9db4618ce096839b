"""What was done without a network is told later: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import random
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

import courses.offline
from core.clock import now
from courses import intervals
from courses.models import Course, Enrolment, Lesson, Progress
from courses.quizzes.models import Quiz
from courses.services import learning
from media_pipeline.captions import tracks
from media_pipeline.captions.cues import cue
from media_pipeline.models import AssetState
from media_pipeline.storage import storage
from tests.courses.quizzes.conftest import quiz as quiz
from tests.world import World

STATIC = Path(courses.offline.__file__).parent / "static/offline"
SECOND = st.floats(0, 20).map(lambda value: round(value, 2))
STRETCHES = st.lists(
    st.tuples(SECOND, SECOND).map(sorted).filter(lambda one: one[1] > one[0]),
    min_size=1,
    max_size=4,
)


@pytest.fixture
def lesson(course: Course, world: World) -> Lesson:
    lesson: Lesson = course.lessons.select_related("asset").order_by("id")[0]
    enrolment = learning.enrol(world.wang, course)
    long_ago = now() - timedelta(days=30)
    Enrolment.objects.filter(pk=enrolment.pk).update(started_at=long_ago)
    return lesson


@tried(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=st.lists(STRETCHES, min_size=1, max_size=6), seed=st.integers(0, 2**16))
def test_reports_told_late_again_and_in_any_order_give_the_same(
    reports: list[list[list[float]]], seed: int, lesson: Lesson, world: World, client: Client
) -> None:
    """Answers get lost: the phone tells again what the server has heard already."""
    Progress.objects.all().delete()
    client.force_login(world.wang)
    dice = random.Random(seed)
    told = [*reports, *dice.choices(reports, k=3)]
    dice.shuffle(told)
    for one in told:
        answer = client.post(
            f"/api/v1/lessons/{lesson.public_id}/watched",
            {"intervals": one},
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.content
    wanted = intervals.merge([stretch for one in reports for stretch in one])
    kept = Progress.objects.get(lesson=lesson).intervals
    assert [tuple(one) for one in kept] == [tuple(one) for one in wanted]


def test_what_may_stay_on_the_phone(
    client: Client, world: World, course: Course, lesson: Lesson
) -> None:
    other = course.lessons.order_by("id")[1]
    asked = f"{lesson.public_id},{other.public_id},nonsense"
    client.force_login(world.wang)
    told = client.get("/api/v1/me/kept", {"lessons": asked})
    assert told["Cache-Control"] == "private, no-store"
    assert told.json()["person"] == str(world.wang.public_id)
    assert set(told.json()["lessons"]) == {str(lesson.public_id), str(other.public_id)}
    lesson.asset.state = AssetState.WITHDRAWN
    lesson.asset.save()
    assert client.get("/api/v1/me/kept", {"lessons": asked}).json()["lessons"] == [
        str(other.public_id)
    ]
    client.force_login(world.li)
    assert client.get("/api/v1/me/kept", {"lessons": asked}).json()["lessons"] == []


def test_only_who_joined_can_keep_a_lesson(client: Client, world: World, lesson: Lesson) -> None:
    client.force_login(world.li)
    assert client.get(f"/api/v1/lessons/{lesson.public_id}/keep").status_code == 409


def test_a_kept_lesson_brings_what_the_feed_shows(
    client: Client, world: World, course: Course, lesson: Lesson
) -> None:
    storage().write(lesson.asset.download_key, b"film")
    recording = lesson.asset.recording
    recording.caption_tracks.create(language="en", cues=tracks.rows([cue(0, 900, "Cut.")]))
    client.force_login(world.wang)
    client.post(
        f"/api/v1/lessons/{lesson.public_id}/watched",
        {"intervals": [[2, 5]], "position_s": 5},
        content_type="application/json",
    )
    told = client.get(f"/api/v1/lessons/{lesson.public_id}/keep").json()
    assert told["joined"] is True
    assert (told["intervals"], told["resume_s"]) == ([[2, 5]], 5)
    assert told["required_s"] == lesson.required_s
    [captions] = told["captions"]
    assert told["files"] == [told["poster_url"], captions["url"]]
    assert "/learn/offline/feed/" in told["pages"]
    client.force_login(world.chen)  # an author looks at it, and nothing of it counts
    assert client.get(f"/api/v1/lessons/{lesson.public_id}/keep").json()["joined"] is False


def test_the_feed_for_phones_names_whose_it_is_and_no_lesson(
    client: Client, world: World, lesson: Lesson, settings: LazySettings
) -> None:
    client.force_login(world.wang)
    html = client.get("/learn/offline/feed/").content.decode()
    assert str(world.wang.public_id) in html
    assert "Picking" not in html
    settings.OFFLINE = False
    assert client.get("/learn/offline/feed/")["Location"] == "/learn/"


def test_the_worker_can_be_taken_back(client: Client, settings: LazySettings) -> None:
    script = client.get("/learn/worker.js")
    assert script["Cache-Control"] == "private, no-cache"
    assert "import " not in script.content.decode()
    settings.OFFLINE = False
    assert "registration.unregister()" in client.get("/learn/worker.js").content.decode()


def test_the_phone_loses_nothing_and_slices_films_rightly(tmp_path: Path) -> None:
    """In Node.js: the scripts as they are, with a server that loses requests and answers."""
    node = shutil.which("node")
    assert node
    for name in ("films", "waiting", "places"):
        shutil.copy(STATIC / f"{name}.js", tmp_path / f"{name}.js")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    script = Path(shutil.copy(Path(__file__).parent / "phone.mjs", tmp_path))
    told = subprocess.run([node, script], capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stderr


def test_a_phone_hears_in_words_why_answers_are_refused(
    client: Client, world: World, quiz: Quiz, lesson: Lesson
) -> None:
    client.force_login(world.wang)
    page = f"{lesson.get_absolute_url()}quiz/"
    accept = "application/problem+json, */*"
    told = client.post(page, {"paper": "99"}, headers={"Accept": accept})
    assert told.status_code == 409
    assert "The quiz has changed" in told.json()["detail"]
