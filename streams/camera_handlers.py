"""Reactions to what the camera does, and to the end of a show. They change shows and recordings;
telling the room of it is `streams.handlers`' part.
"""

from __future__ import annotations

from uuid import UUID

from media_pipeline.events import TakeResumed, TakeStarted, TakeStopped
from streams.events import ShowEnded
from streams.services import shows


def camera_on(fact: TakeStarted | TakeResumed, fact_id: UUID) -> None:
    shows.camera_on(fact.show_id, fact.at)


def camera_off(fact: TakeStopped, fact_id: UUID) -> None:
    shows.camera_off(fact.show_id, fact.at)


def close_recording(fact: ShowEnded, fact_id: UUID) -> None:
    shows.close_recording(fact.show_id)
