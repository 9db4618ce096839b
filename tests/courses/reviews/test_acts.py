"""What the simulated buyers did is on the film's line, and in a list that leads there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from core.clock import now
from courses.practice.models import Act, Attempt
from courses.reviews.acts import acts_of
from media_pipeline.models import Take
from tests.courses.reviews.conftest import HandIn
from tests.world import World

pytestmark = pytest.mark.ffmpeg


def did(attempt: Attempt, number: int, at_s: float, kind: str, **detail: object) -> None:
    Act.objects.create(
        attempt=attempt, number=number, at_s=at_s, persona="haggler", kind=kind, detail=detail,
        done_at=now(),
    )  # fmt: skip


@pytest.fixture
def filmed(hand_in: HandIn) -> Attempt:
    """The show began two seconds after its camera."""
    attempt = hand_in(filmed=True)
    take = Take.objects.get(recording__show_id=attempt.show_id)
    assert take.started_at
    attempt.began_at = take.started_at + timedelta(seconds=2)
    attempt.ended_at = attempt.began_at + timedelta(seconds=10)
    attempt.save()
    did(attempt, 1, 1, "hello", text="Hello")
    did(attempt, 2, 2, "ask", text="How <heavy>?")
    did(attempt, 3, 4, "order", quantity=2, price_minor=3990)
    did(attempt, 4, 500, "leave", text="Bye")
    return attempt


def test_acts_are_where_the_film_shows_them(filmed: Attempt) -> None:
    """Greetings are none, and what the film does not show has no place in it."""
    assert [(one.at_s, one.kind) for one in acts_of(filmed)] == [(4.0, "ask"), (6.0, "order")]


def test_the_page_marks_them_and_lists_them(world: World, filmed: Attempt) -> None:
    client = Client()
    client.force_login(world.chen)
    html = client.get(f"/learn/reviews/{filmed.public_id}/").content.decode()
    assert html.count('class="film__act ') == 2
    assert 'data-jump="4.0" data-of="this"' in html
    assert "How &lt;heavy&gt;?" in html
    assert "What the buyers did: 2 moments" in html


def test_without_a_film_there_is_nothing_to_jump_to(filmed: Attempt) -> None:
    filmed.film_deleted_at = now()
    assert acts_of(filmed) == []
