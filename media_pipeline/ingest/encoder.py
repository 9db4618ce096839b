"""One running ffmpeg: a recorder's bytes go in, the head and the parts of an MP4 come out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Sequence

from media_pipeline.ffmpeg import ERROR_LINES
from media_pipeline.ingest.boxes import Init, Splitter
from media_pipeline.ingest.grouping import Grouping, Piece

FINISH_S = 20.0
"""How long ffmpeg may take to write its last part before it is killed."""
BLOCK = 64 * 1024
SETTLED_S = 0.006
"""When nothing has come for so long, all is out that a piece of the stream gave."""


class EncoderGone(Exception):
    """ffmpeg does not take bytes any more."""


class Encoder:
    """Made by `start`. It ends with `finish`, `kill`, or by itself."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: deque[str] = deque(maxlen=ERROR_LINES)
        self._listening = asyncio.create_task(self._listen())
        self._exit = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, command: Sequence[str]) -> Encoder:
        """Run this ffmpeg, which reads its standard input and writes to its standard output."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=4 * BLOCK,
            start_new_session=True,  # a Ctrl-C at the server's terminal is not for ffmpeg
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        """The end of what ffmpeg had to say; complete once it has exited."""
        return "\n".join(self._said)

    @property
    def has_exited(self) -> bool:
        return self._exit.done()

    async def feed(self, block: bytes) -> None:
        """Give it bytes, waiting while it is busy with earlier ones; raises `EncoderGone`."""
        stdin = self._stdin()
        if stdin.is_closing():  # uvloop would say so with a RuntimeError of its own
            raise EncoderGone
        try:
            stdin.write(block)
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EncoderGone from error

    async def output(self, grouping: Grouping) -> AsyncIterator[Init | Piece]:
        """What comes out, as soon as it does, until the end; raises `BadBoxes`."""
        splitter, is_new = Splitter(), False
        reading = asyncio.create_task(self._read())
        try:
            while True:
                await asyncio.wait({reading}, timeout=SETTLED_S if is_new else None)
                if not reading.done():
                    is_new = False
                elif block := reading.result():
                    reading, is_new = asyncio.create_task(self._read()), True
                    for item in splitter.feed(block):
                        found = item if isinstance(item, Init) else grouping.add(item)
                        if found is not None:
                            yield found
                    continue
                if (rest := grouping.flush(is_end=reading.done())) is not None:
                    yield rest
                if reading.done():
                    return
        finally:
            reading.cancel()

    async def _read(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - asked for in `start`
        return await self._process.stdout.read(BLOCK)

    async def wait(self, timeout_s: float) -> bool:
        """Wait until it has exited, for `timeout_s` at most; whether it has."""
        await asyncio.wait({self._exit}, timeout=timeout_s)
        return self.has_exited

    @property
    def was_killed(self) -> bool:
        """Whether it ended by a signal and not by itself."""
        return (self._process.returncode or 0) < 0

    async def finish(self) -> bool:
        """Let it write what it has and exit; whether it did so without an error.

        Somebody has to take its output meanwhile.
        """
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._stdin().close()
            await self._stdin().wait_closed()
        if not await self.wait(FINISH_S):
            self.kill()
        await self._listening
        return await self._exit == 0

    def kill(self) -> None:
        """End it at once, with whatever it may have started; no harm if it has exited."""
        if not self.has_exited:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - asked for in `start`
        while line := await self._process.stderr.readline():
            self._said.append(line.decode(errors="replace").rstrip()[:300])

    def _stdin(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None  # noqa: S101 - asked for in `start`
        return self._process.stdin
