"""`livecommerce broadcast`: what it tells a person while a file is on the air."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import uuid
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
from django.conf import settings
from django.db import DatabaseError

from core.ids import parse_id
from media_pipeline.ffmpeg import MediaError
from streams.broadcast import BroadcastFailed, BroadcastRefused, Progress, Summary, broadcast
from streams.models import Show
from streams.services import ingest_keys

REFUSED_BY_SERVER = 3
LINE_EVERY_S = 10.0  # where nobody watches the line change


class CannotBroadcast(click.ClickException):
    """It did not come to a broadcast, or it broke off; the message says why."""


class ServerRefused(CannotBroadcast):
    exit_code = REFUSED_BY_SERVER


def run(
    file: Path, *, show: str, url: str, key: str | None, loop: bool, duration_s: float | None
) -> None:
    """Broadcast until the file's end or a signal. Raises `CannotBroadcast`."""
    show_id = parse_id(show)
    if show_id is None:
        raise CannotBroadcast(f"{show!r} is not a show's id: copy it from the studio.")
    key = key or key_of(show_id)
    meter = Meter()
    work = broadcast(
        file,
        show_id=show_id,
        key=key,
        url=url,
        loop=loop,
        duration_s=duration_s,
        on_progress=meter.show,
    )
    try:
        summary = asyncio.run(until_stopped(work))
    except BroadcastRefused as error:
        raise ServerRefused(failure(error)) from error
    except BroadcastFailed as error:
        raise CannotBroadcast(failure(error)) from error
    except MediaError as error:
        raise CannotBroadcast(str(error)) from error
    finally:
        meter.end()
    if summary is not None and summary.lost_s:
        raise CannotBroadcast(loss(summary))
    click.echo(words(summary))


def key_of(show_id: uuid.UUID) -> str:
    """A key for a show of the instance on this machine."""
    try:
        show = Show.objects.filter(public_id=show_id).first()
    except DatabaseError:  # nothing was ever started in this folder
        show = None
    if show is None:
        raise CannotBroadcast(
            f"The instance in {settings.DATA_ROOT} has no show {show_id}. For the demo's shows say "
            "LIVECOMMERCE_DATA=var/demo; for another instance's, give its address and the key "
            "from its studio: --url and --key."
        )
    return ingest_keys.issue(show)


async def until_stopped(work: Coroutine[Any, Any, Summary]) -> Summary | None:
    """The summary; `None` when a signal ended it, after what was sent is safe."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return None


def words(summary: Summary | None) -> str:
    if summary is None:
        return "Stopped; what was sent is in the recording."
    megabytes = summary.bytes_sent / 1_000_000
    again = f", {summary.reconnects} reconnections" if summary.reconnects else ""
    return f"Done: {summary.duration_s:.0f} s live, {megabytes:.1f} MB{again}."


def loss(summary: Summary) -> str:
    return (
        f"{summary.lost_s:.0f} s of the film are not in the recording; "
        f"{summary.duration_s:.0f} s are, {summary.bytes_sent / 1_000_000:.1f} MB."
    )


def failure(error: BroadcastFailed) -> str:
    """Why it broke off, and what that cost where something had been broadcast."""
    summary = error.summary
    return f"{error} {loss(summary)}" if summary and summary.bytes_sent else str(error)


class Meter:
    """One line that changes where a person looks on, a new line now and then where not."""

    def __init__(self) -> None:
        self._changes = sys.stdout.isatty()
        self._told_at = float("-inf")

    def show(self, progress: Progress) -> None:
        if self._changes:
            click.echo(f"\r{self._line(progress):<72}", nl=False)
        elif time.monotonic() - self._told_at >= LINE_EVERY_S:
            self._told_at = time.monotonic()
            click.echo(self._line(progress))

    def end(self) -> None:
        if self._changes:
            click.echo()

    def _line(self, progress: Progress) -> str:
        where = "live" if progress.connected else "connecting"
        sent, waits = progress.confirmed_bytes / 1_000_000, progress.waiting_bytes / 1000
        return f"{where}  {progress.elapsed_s:5.0f} s  {sent:6.1f} MB sent  {waits:4.0f} kB waiting"
