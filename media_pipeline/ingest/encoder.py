"""One running ffmpeg: a recorder's bytes go in, the head and the parts of an MP4 come out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Sequence

from media_pipeline.ffmpeg import ERROR_LINES
from media_pipeline.ingest.boxes import Init, Splitter
from media_pipeline.ingest.grouping import Grouping, Piece

log = logging.getLogger(__name__)

FINISH_S = 20.0
"""How long ffmpeg may take to write its last part before it is killed."""
HUNG_S = 5.0
"""One that for so long takes no byte of those that wait, and gives none, is killed."""
SLOW_START = 4
"""The same before its first output: so many times as long, for a machine that is busy."""
LOOKS = 5
KILLED_S = 5.0
"""One that was killed and has not gone by then is waited for no more: the kernel holds it."""
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
        self._is_reading = False
        self._given = 0
        self._listening = asyncio.create_task(self._listen())
        self._exit = asyncio.create_task(process.wait())
        self._watching = asyncio.create_task(self._watch())

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
        self._is_reading = True
        try:
            block = await self._stdout().read(BLOCK)
        finally:
            self._is_reading = False
        self._given += len(block)
        return block

    async def wait(self, timeout_s: float) -> bool:
        """Wait until it has exited, for `timeout_s` at most; whether it has."""
        await asyncio.wait({self._exit}, timeout=timeout_s)
        return self.has_exited

    @property
    def was_killed(self) -> bool:
        """Whether it ended by a signal and not by itself."""
        code = self._process.returncode
        return code is None or code < 0

    async def finish(self) -> bool:
        """Let it write what it has and exit; whether it did so without an error.

        Somebody has to take its output meanwhile.
        """
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._stdin().close()
            await self._stdin().wait_closed()  # `_watch` sees to it that this ends
        if not await self.wait(FINISH_S):
            self.kill()
            await asyncio.wait({self._exit})
        await asyncio.wait({self._listening}, timeout=KILLED_S)
        return self._process.returncode == 0

    def kill(self) -> None:
        """End it at once, with whatever it may have started; no harm if it has exited."""
        if not self.has_exited:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            asyncio.get_running_loop().call_later(KILLED_S, self._abandon)

    def _abandon(self) -> None:
        """Nobody is to wait for it any more."""
        if not self.has_exited:
            log.error("ffmpeg %d was killed and does not go away", self.pid)
            self._exit.cancel()
            self._stdin().transport.abort()
            self._stdout().feed_eof()

    async def _watch(self) -> None:
        """Kill it if it hangs.

        What is counted are looks that found nothing new and not the time: when this process itself
        was stopped, the encoder was not given the chance to go on.
        """
        idle, before = 0, (0, 0)
        while not await self.wait(HUNG_S / LOOKS):
            found = (self._given, self._unfed())
            idle = idle + 1 if found == before and self._owes() else 0
            before = found
            if idle >= LOOKS * (1 if self._given else SLOW_START):
                log.warning("ffmpeg %d hangs: it is killed", self.pid)
                self.kill()
                return

    def _unfed(self) -> int:
        """Bytes that wait until it takes them."""
        return self._stdin().transport.get_write_buffer_size()

    def _owes(self) -> bool:
        """Whether it could go on: it has something to take, and what it gives is taken."""
        return self._is_reading and (self._unfed() > 0 or self._stdin().is_closing())

    async def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - asked for in `start`
        while line := await self._process.stderr.readline():
            self._said.append(line.decode(errors="replace").rstrip()[:300])

    def _stdout(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None  # noqa: S101 - asked for in `start`
        return self._process.stdout

    def _stdin(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None  # noqa: S101 - asked for in `start`
        return self._process.stdin
