"""Forgetting a show as if it had never been: for what was no real one."""

from __future__ import annotations

from django.db import transaction

from core.realtime.models import LogEntry, Topic
from media_pipeline.services.removal import remove_recording
from orders.models import Offer
from streams.models import Show
from streams.studio.topics import studio_topic


def forget_show(show: Show) -> None:
    """Delete what was filmed, the logs, what it offered, and the show.

    Its orders are the caller's: none may be left that counts. Raises `Conflict` for a show of which
    a lesson was made, and deletes nothing then.
    """
    remove_recording(show.public_id)
    with transaction.atomic():
        topics = [show.topic, studio_topic(show.public_id)]
        LogEntry.objects.filter(topic__in=topics).delete()
        Topic.objects.filter(name__in=topics).delete()
        Offer.objects.filter(show_id=show.public_id).delete()
        show.delete()
