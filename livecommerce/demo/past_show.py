"""The demo's show of yesterday and the course made of it.

Its video goes through the ingest desk, its orders through the order service and its lessons
through the worker's jobs: only the clock is set back, so that nobody has to wait for a day.
"""

from __future__ import annotations

import asyncio
import subprocess
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from core.models import OutboxFact
from core.realtime.local_log import LocalLog
from core.realtime.log import NewEntry
from courses.models import Course
from courses.services import authoring
from livecommerce.demo.goods import Good
from livecommerce.demo.script import HOST, Action, Buy, Pin, Say, script
from livecommerce.demo.sweep import remove_show, send_all
from livecommerce.demo.world import Orchard, Stall
from media_pipeline import ffmpeg
from media_pipeline.ingest.chunks import Chunk
from media_pipeline.ingest.desk import Desk
from media_pipeline.models import Asset, Recording, Take
from media_pipeline.services import clips, consents, takes
from media_pipeline.services.recordings import enqueue_processing
from media_pipeline.tasks import TASKS
from media_pipeline.worker import run_waiting
from orders.models import Offer, Order
from orders.selectors import offer_view, with_goods
from orders.services.place import place_order
from streams.broadcast_source import FORMATS, VideoFile, camera_arguments
from streams.models import Show, ShowState
from streams.protocol import (
    ChatMessageEvent,
    OrderPlacedEvent,
    ProductPinnedEvent,
    ShowStartedEvent,
    SoldLine,
)
from streams.services.chat import is_question
from streams.services.shows import schedule_show

TITLE = "Yesterday in the orchard 昨日果园直播"
COURSE = "Sell your first boxes live 卖出第一箱"
SUMMARY = (
    "Three short lessons cut out of a real show: show the fruit, answer what people ask, "
    "and close the sale while they are still looking.\n"
    "三节短课，都剪自一场真实的直播：先把果子亮出来，有问就答，趁大家还在看就成交。"
)
# (title, start, end): the stretches of the show that the lessons are cut from, in seconds.
LESSONS = (
    ("Show the fruit, not the box 先看果，再看箱", 0.5, 13.0),
    ("Answer before they ask twice 及时回应", 15.0, 29.0),
    ("Say the price once, clearly 报价要干脆", 30.0, 44.0),
)
NOTES = """\
**Before you go on air 开播之前**

- wipe the lens 擦净镜头
- the sun behind the camera 顺光拍摄
- one fruit cut open 切开一个果子
"""
EACH_PIN_S = 15.0
CHUNK = 64 * 1024
GANSU = "62"  # of `sellers.regions`: once Zhang saves a zone, orders need one
FAST = 1000.0

Tell = Callable[[str], None]


def ensure_past_show(orchard: Orchard, scene: Path, tell: Tell) -> None:
    """Make yesterday's show and its course, if the course is not there already."""
    if Course.objects.filter(title=COURSE).exists():
        return
    for half_made in Show.objects.filter(title=TITLE):
        remove_show(half_made)
    show = _schedule(orchard)
    tell("yesterday's show: recording it")
    video = VideoFile.open(scene)
    recording = _film(show, video)
    _play(orchard, show, video.duration_s)
    _finish(show, video.duration_s)
    tell("yesterday's show: cutting its lessons")
    enqueue_processing(recording.public_id)
    _make_course(orchard, recording)


def _schedule(orchard: Orchard) -> Show:
    started_at = timezone.now() - timedelta(days=1)
    return schedule_show(
        seller=orchard.farm,
        host=orchard.zhang,
        title=TITLE,
        scheduled_at=started_at,
        offers=orchard.stalls,
    )


def _film(show: Show, video: VideoFile) -> Recording:
    asyncio.run(_through_the_desk(show, _stream_of(video), video.duration_s))
    recording = Recording.objects.get(show_id=show.public_id)
    Take.objects.filter(recording=recording).update(started_at=show.scheduled_at)
    return recording


def _stream_of(video: VideoFile) -> bytes:
    """What a camera would send, without waiting for it."""
    arguments = camera_arguments(video, start_s=0, loop=False, duration_s=None, pace=FAST)
    command = ffmpeg.command(arguments, formats=FORMATS)
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


async def _through_the_desk(show: Show, stream: bytes, duration_s: float) -> None:
    """What a phone's connection does, as fast as the disk takes it."""
    connection = await Desk().connect(
        show.public_id, is_public=True, take_id=uuid.uuid4(), mime="video/x-matroska"
    )
    pieces = [stream[start : start + CHUNK] for start in range(0, len(stream), CHUNK)]
    each_ms = duration_s * 1000 / len(pieces)
    for number, piece in enumerate(pieces):
        await connection.append([Chunk(number, number * each_ms, piece)])
    await connection.seal()
    await connection.lost()


def _play(orchard: Orchard, show: Show, duration_s: float) -> None:
    """Everything that people did, placed on yesterday's clock."""
    actions = script(duration_s, each_pin_s=EACH_PIN_S, seed=20)
    started = [ShowStartedEvent().entry(show.scheduled_at)]
    entries = started + [_done(orchard, show, action) for action in actions]
    asyncio.run(_store(show.topic, entries))
    _send_all_but(show, orchard, left=3)


async def _store(topic: str, entries: Sequence[NewEntry]) -> None:
    log = LocalLog()
    log.start()
    try:
        await log.append(topic, entries)
    finally:
        await log.stop()


def _done(orchard: Orchard, show: Show, action: Action) -> NewEntry:
    at = show.scheduled_at + timedelta(seconds=action.at_s)
    match action:
        case Pin(_, good):
            return ProductPinnedEvent(offer=offer_view(_offer(show, orchard.stall(good)))).entry(at)
        case Say(_, who, text):
            user = orchard.users[who]
            return ChatMessageEvent(
                text=text,
                name=user.shown_name,
                user_id=user.public_id,
                role="host" if who == HOST else "viewer",
                question=who != HOST and is_question(text),
            ).entry(at)
        case Buy(_, who, good, quantity):
            return _bought(orchard, show, who, good, quantity, at).entry(at)


def _offer(show: Show, stall: Stall) -> Offer:
    return with_goods(Offer.objects.filter(show_id=show.public_id)).get(variant=stall.variant)


def _bought(
    orchard: Orchard, show: Show, who: str, good: Good, quantity: int, at: datetime
) -> OrderPlacedEvent:
    """Order for real; the fact of it is told to yesterday's room instead of today's."""
    offer = _offer(show, orchard.stall(good))
    order = place_order(
        buyer=orchard.users[who],
        key=str(uuid.uuid4()),
        show_id=show.public_id,
        lines=[
            {
                "offer_id": offer.public_id,
                "quantity": quantity,
                "price_minor": offer.price_minor,
            }
        ],
        delivery=home_of(who),
    )
    Order.objects.filter(pk=order.pk).update(placed_at=at)
    OutboxFact.objects.filter(topic=f"order:{order.public_id}").delete()
    line = order.lines.get()
    sold = SoldLine(variant_id=offer.variant.public_id, title=line.title, quantity=quantity)
    return OrderPlacedEvent(buyer=order.buyer.masked_name, lines=[sold])


def home_of(who: str) -> dict[str, object]:
    """Where a scripted viewer has things sent."""
    return {
        "kind": "courier",
        "name": who.removeprefix("demo-").title(),
        "phone": f"1380000{sum(map(ord, who)) % 10000:04d}",
        "region": GANSU,
        "address": "18 Binhe Road, Lanzhou 兰州市滨河路18号",
    }


def _send_all_but(show: Show, orchard: Orchard, *, left: int) -> None:
    """Send yesterday's orders, except the last ones: those wait for whoever tries the studio."""
    placed = Order.objects.filter(show_id=show.public_id)
    newest = list(placed.order_by("-id").values_list("pk", flat=True)[:left])
    send_all(placed.exclude(pk__in=newest), orchard.zhang)


def _finish(show: Show, duration_s: float) -> None:
    ended_at: datetime = show.scheduled_at + timedelta(seconds=duration_s)
    Show.objects.filter(pk=show.pk).update(
        state=ShowState.ENDED, started_at=show.scheduled_at, ended_at=ended_at
    )
    takes.seal_recording(show.public_id, is_public=True)


def _make_course(orchard: Orchard, recording: Recording) -> None:
    made = [
        clips.make_clip(
            recording_id=recording.public_id,
            edition=recording.edition,
            start_s=start_s,
            end_s=end_s,
            title=title,
            actor=orchard.zhang,
        )
        for title, start_s, end_s in LESSONS
    ]
    # Its renditions can wait for the worker: the replay plays without them.
    run_waiting({kind: TASKS[kind] for kind in (clips.MAKE_CLIP, clips.MAKE_LIGHT)})
    _publish(orchard, made)


def _publish(orchard: Orchard, made: Sequence[Asset]) -> None:
    course = authoring.create_course(author=orchard.users["chen"], title=COURSE, summary=SUMMARY)
    for asset in made:
        asset.refresh_from_db()
        consents.give(asset, actor=orchard.zhang, version=consents.VERSION, language="en")
        authoring.add_lesson(course, asset, asset.title)
    first = course.lessons.all()[0]
    authoring.describe_lesson(first, title=first.title, notes=NOTES)
    authoring.publish(course)
