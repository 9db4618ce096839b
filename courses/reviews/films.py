"""The film of an attempt: where it is, how long it is, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from courses.practice.models import Attempt
from media_pipeline.selectors import playback


@dataclass(frozen=True, slots=True)
class Film:
    """`waiting` until its recording is sealed; `gone` once it was deleted, or never was.

    `replay_url` is there for `ready` alone, and good for a while only.
    """

    state: Literal["ready", "waiting", "gone"]
    replay_url: str | None = None
    poster_url: str | None = None
    duration_s: float = 0.0


def film_of(attempt: Attempt) -> Film:
    found = None if attempt.film_deleted_at else playback(attempt.show_id)
    if found is None or found.state == "empty":
        return Film("gone")
    if found.state == "live":
        return Film("waiting")
    return Film("ready", found.replay_url, found.poster_url, found.duration_s)


def length_s(attempt: Attempt) -> float | None:
    """In seconds of the recording; `None` where nobody knows any more."""
    film = film_of(attempt)
    if film.state == "ready":
        return film.duration_s
    if attempt.began_at and attempt.ended_at:
        return (attempt.ended_at - attempt.began_at).total_seconds()
    return None
