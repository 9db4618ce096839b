"""How workers learn that a job may be run: they ask the database, or Celery carries the word.

Either way the row is the truth, and a worker claims it by the same conditional update. A carrier
may lose a word, bring it twice or late: the schedule sends again what nobody holds.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from media_pipeline import jobs

CELERY = "celery"


def connect() -> None:
    """Tell the carrier about jobs from now on. Celery is loaded only where it is the carrier."""
    jobs.listeners[:] = [_of_celery("send")] if settings.CARRIER == CELERY else []


def send_again() -> int:
    """Send what waits although it was sent, or never was; how many. For the schedule."""
    sent: int = _of_celery("send_again")() if settings.CARRIER == CELERY else 0
    return sent


def _of_celery(name: str) -> Any:
    return import_string(f"media_pipeline.celery_carrier.{name}")
