"""Reactions to what the camera does, and to the end of a show. They change shows and recordings;
telling the room of it is `streams.handlers`' part.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction

from core.errors import NotFound
from media_pipeline import handlers as media_handlers
from media_pipeline.events import RecordingSealed, TakeResumed, TakeStarted, TakeStopped
from streams.events import ShowEnded, ShowStarted
from streams.models import Show
from streams.services import readiness, shows, stopping

log = logging.getLogger(__name__)


def camera_on(fact: TakeStarted | TakeResumed, fact_id: UUID) -> None:
    shows.camera_on(fact.show_id, fact.at)


def camera_off(fact: TakeStopped, fact_id: UUID) -> None:
    shows.camera_off(fact.show_id, fact.at)


def close_recording(fact: ShowEnded, fact_id: UUID) -> None:
    try:
        shows.close_recording(fact.show_id)
    except NotFound:
        log.info("show %s was deleted before its end was heard of", fact.show_id)


def hide_withheld(fact: RecordingSealed, fact_id: UUID) -> None:
    """An operator hid the replay before there was one."""
    try:
        with transaction.atomic():
            stopping.hide_files(fact.show_id)
    except Show.DoesNotExist:
        log.info("show %s was deleted before its recording was heard of", fact.show_id)


def process_recording(fact: RecordingSealed, fact_id: UUID) -> None:
    """Not of a rehearsal: its host looks at it once, and it is gone tomorrow."""
    if not Show.objects.filter(public_id=fact.show_id, is_rehearsal=True).exists():
        media_handlers.process_sealed_recording(fact, fact_id)


def note_rehearsed(fact: ShowStarted, fact_id: UUID) -> None:
    show = Show.objects.select_related("seller", "host").filter(public_id=fact.show_id).first()
    if show is not None and show.is_rehearsal:
        readiness.note_rehearsed(show, fact.at)
