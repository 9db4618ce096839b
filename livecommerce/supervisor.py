"""Several processes as one: web, worker and, in the demo, its actors.

The supervisor holds the write end of each child's standard input and writes nothing. However the
supervisor ends, even by SIGKILL, the pipe closes and the child ends itself: no orphans, on every
Unix. A child that ends is started again after a pause that grows; one that says it cannot run
like this (`REFUSED`) stops them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import click

REFUSED = 78  # EX_CONFIG of sysexits.h: starting again would change nothing
GRACE_S = 8.0  # what a child gets to end by itself; all of it stays under ten seconds
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0  # a child that ran this long starts with a short pause again
LINE_LIMIT = 1 << 20
SUPERVISED = "--supervised"
COLOURS = ("cyan", "yellow", "magenta", "green")


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running. `waits` holds it back until the others are ready."""

    name: str
    command: Sequence[str]
    waits: bool = False


def is_supervised() -> bool:
    """Whether this process is such a child, which starts again when its settings change."""
    return SUPERVISED in sys.argv


def own_command(*arguments: str) -> list[str]:
    """The command line of one of livecommerce's own processes, as a child of a supervisor."""
    return [sys.executable, "-m", "livecommerce.cli", SUPERVISED, *arguments]


class Supervisor:
    """Keeps children running until a signal comes; `run` returns the exit code.

    `until_ready` returns when the children that do not wait can be used; `on_ready` then tells.
    `until_changed` returns when all of them have to start again, and is asked anew after that.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        until_ready: Callable[[], Awaitable[None]],
        on_ready: Callable[[], None],
        until_changed: Callable[[], Awaitable[None]] | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._children = children
        self._until_ready = until_ready
        self._on_ready = on_ready
        self._until_changed = until_changed
        self._ended_by_us: set[Process] = set()
        self._first_pause_s = first_pause_s
        self._grace_s = grace_s
        self._running: dict[str, Process] = {}
        self._stop = asyncio.Event()
        self._ready = asyncio.Event()
        self._code = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._stop.set)
        keepers = [asyncio.create_task(self._keep(child)) for child in self._children]
        watcher = asyncio.create_task(self._watch_ready())
        renewer = asyncio.create_task(self._renew())
        await self._stop.wait()
        watcher.cancel()
        renewer.cancel()
        await self._end_all()
        await asyncio.gather(*keepers)
        return self._code

    async def _watch_ready(self) -> None:
        await self._until_ready()
        self._ready.set()
        self._on_ready()

    async def _renew(self) -> None:
        while self._until_changed is not None:
            await self._until_changed()
            say("up", "settings or addresses changed: all start again")
            for process in self._running.values():
                self._ended_by_us.add(process)
                process.terminate()

    async def _keep(self, child: Child) -> None:
        if child.waits and not await self._happens_first(self._ready):
            return
        pause_s = self._first_pause_s
        while not self._stop.is_set():
            started = time.monotonic()
            code, was_ours = await self._run_once(child)
            if self._stop.is_set():
                return
            if was_ours:
                continue
            if code == REFUSED:
                self._code = REFUSED
                self._stop.set()
                return
            if time.monotonic() - started > STEADY_AFTER_S:
                pause_s = self._first_pause_s
            say(child.name, f"ended with code {code}; starts again in {pause_s:g} s")
            await self._pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _run_once(self, child: Child) -> tuple[int, bool]:
        """Run the child to its end; its exit code, and whether we ended it to start it anew.

        Nothing that it started outlives it.
        """
        life, held = os.pipe()  # nobody writes; it closes when this process ends
        said, saying = os.pipe()
        # Pipes of our own: asyncio's would make `wait` wait for what the child has started, too.
        process = await asyncio.create_subprocess_exec(
            *child.command,
            stdin=life,
            stdout=saying,
            stderr=saying,
            # Its own group: Ctrl+C reaches the supervisor alone, and what a child leaves behind
            # can be ended with it.
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        os.close(life)
        os.close(saying)
        self._running[child.name] = process
        if self._stop.is_set():
            process.terminate()
        forwarding = asyncio.create_task(self._forward(child, said))
        code = await process.wait()
        os.close(held)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await forwarding
        del self._running[child.name]
        was_ours = process in self._ended_by_us
        self._ended_by_us.discard(process)
        return code, was_ours

    async def _forward(self, child: Child, said: int) -> None:
        reader = asyncio.StreamReader(limit=LINE_LIMIT)
        loop = asyncio.get_running_loop()
        with open(said, "rb", buffering=0) as pipe:  # noqa: ASYNC230 (a pipe opens at once)
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
            while line := await read_line(reader):
                self._tell(child, line)

    def _tell(self, child: Child, line: bytes) -> None:
        names = [one.name for one in self._children]
        colour = COLOURS[names.index(child.name) % len(COLOURS)]
        say(child.name, line.decode(errors="replace").rstrip(), colour)

    async def _end_all(self) -> None:
        for process in self._running.values():
            process.terminate()
        waiting = [process.wait() for process in self._running.values()]
        try:
            await asyncio.wait_for(asyncio.gather(*waiting), self._grace_s)
        except TimeoutError:
            for name, process in list(self._running.items()):
                say(name, f"did not end within {self._grace_s:g} s and was killed")
                process.kill()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    async def _happens_first(self, event: asyncio.Event) -> bool:
        """Wait for the event or the stop; whether it was the event."""
        waits = [asyncio.create_task(one.wait()) for one in (event, self._stop)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        return not self._stop.is_set()


async def read_line(reader: asyncio.StreamReader) -> bytes:
    """The next line, empty at the end; of one that is longer than `LINE_LIMIT`, its last part."""
    while True:
        with contextlib.suppress(ValueError):  # the reader has dropped what was too long
            return await reader.readline()


def say(name: str, line: str, colour: str | None = None) -> None:
    """One line of the common log; colours only where a person reads it."""
    click.echo(f"{click.style(f'{name:>7} |', fg=colour)} {line}")


async def until_answers(host: str, port: int, path: str = "/readyz") -> None:
    """Return when the web process answers 200; ask five times a second."""
    # Another process's readiness has no event to wait for.
    while not await answers(host, port, path):  # noqa: ASYNC110
        await asyncio.sleep(0.2)


async def answers(host: str, port: int, path: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        return b" 200 " in await asyncio.wait_for(reader.readline(), 5)
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


def follow_parent() -> None:
    """End this process when the one that holds the other end of its standard input is gone."""
    threading.Thread(target=_end_with_parent, name="follow-parent", daemon=True).start()


def _end_with_parent() -> None:
    while os.read(0, 1024):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)  # the same time that a living supervisor gives
    os.killpg(0, signal.SIGKILL)
