"""A niced ffmpeg that is fed the source's parts and gives another rendition's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Sequence

from media_pipeline.ffmpeg import ERROR_LINES
from media_pipeline.ingest.boxes import Fragment, Init, Splitter
from media_pipeline.live.parts import Part

NICENESS = 10
BLOCK = 64 * 1024
WAITING_AT_MOST = 16 * 1024 * 1024
"""Bytes that may wait for one encoder: far behind, it is of no use to anybody."""


class LowEncoder:
    """Made by `start`, ended by `kill` or by itself; `reaped` waits for its end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: deque[str] = deque(maxlen=ERROR_LINES)
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, command: Sequence[str]) -> LowEncoder:
        """Run this ffmpeg, which reads standard input and writes to standard output.

        It sees the end of its input, and ends, when this process is killed.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=4 * BLOCK,
            start_new_session=True,  # a Ctrl-C at the server's terminal is not for ffmpeg
        )
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PGRP, process.pid, NICENESS)
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        """The end of what ffmpeg had to say."""
        return "\n".join(self._said)

    def offer(self, data: bytes) -> None:
        """Give it bytes without waiting. One that lets too many wait is ended."""
        stdin = self._process.stdin
        if stdin is None or stdin.transport.is_closing():
            return
        stdin.write(data)
        if stdin.transport.get_write_buffer_size() > WAITING_AT_MOST:
            self.kill()

    def no_more(self) -> None:
        """It may write what it has and end."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def output(self) -> AsyncIterator[Init | Part]:
        """What comes out, as soon as it does, until the end; raises `BadBoxes`."""
        assert self._process.stdout is not None  # noqa: S101 - asked for in `start`
        splitter, end_s = Splitter(), 0.0
        while block := await self._process.stdout.read(BLOCK):
            for item in splitter.feed(block):
                if isinstance(item, Init):
                    yield item
                    continue
                part = _part(item, end_s)
                end_s = part.end_s
                yield part

    async def everything(self) -> bytes:
        """All that it writes, for one that makes no parts."""
        assert self._process.stdout is not None  # noqa: S101 - asked for in `start`
        return await self._process.stdout.read()

    def kill(self) -> None:
        """End it at once; no harm if it has ended."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def reaped(self) -> None:
        """It has ended and left nothing behind."""
        await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - asked for in `start`
        while line := await self._process.stderr.readline():
            self._said.append(line.decode(errors="replace").rstrip()[:300])


def _part(fragment: Fragment, at_s: float) -> Part:
    """A fragment with sound alone, beside a picture that did not move, has no time of its own."""
    run = fragment.run
    if run is None:
        return Part(fragment.data, at_s, 0.0, is_key=False)
    return Part(fragment.data, run.start_s, run.duration_s, run.is_key)
