"""What `livecommerce demo` does before it opens its door."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
from django.conf import settings

from core.clock import now
from livecommerce.demo.learning import ensure_class
from livecommerce.demo.past_show import ensure_past_show
from livecommerce.demo.world import Orchard, ensure_orchard, fill_up
from media_pipeline.demo_media import demo_video
from streams.models import Show, ShowState
from streams.services.shows import end_show, schedule_show

TOMORROW = "Honey day: open the hives with us 蜂场开放日"


def scene() -> Path:
    """What the demo's camera films, drawn once."""
    return demo_video(settings.DATA_ROOT / "demo")


def prepare() -> None:
    """Make the demo's world where it is missing, and clear away what a stopped demo left live."""
    tell("the orchard: people, goods and pictures")
    orchard = ensure_orchard()
    fill_up(orchard)
    for left_live in Show.objects.filter(seller=orchard.farm, state=ShowState.LIVE):
        end_show(left_live.public_id, orchard.zhang)
    tell("the camera's scene: drawing it (once)")
    video = scene()
    ensure_past_show(orchard, video, tell)
    ensure_class(orchard, tell)
    _ensure_tomorrow(orchard)


def _ensure_tomorrow(orchard: Orchard) -> None:
    Show.objects.filter(title=TOMORROW, scheduled_at__lt=now(), state=ShowState.SCHEDULED).delete()
    if not Show.objects.filter(title=TOMORROW).exists():
        schedule_show(
            seller=orchard.farm,
            host=orchard.zhang,
            title=TOMORROW,
            scheduled_at=now() + timedelta(days=1),
            offers=orchard.stalls[2:],
        )


def tell(line: str) -> None:
    click.echo(f"   demo | {line}")
