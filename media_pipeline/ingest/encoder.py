"""One running ffmpeg: bytes go in, segments appear in its folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from pathlib import Path

from media_pipeline.ffmpeg import ERROR_LINES
from media_pipeline.ingest.recipe import live_command
from media_pipeline.ingest.source import Source

FINISH_S = 20.0
"""How long ffmpeg may take to write its last segment before it is killed."""


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
    async def start(cls, source: Source, folder: Path) -> Encoder:
        """Run ffmpeg for this kind of stream in `folder`, which exists."""
        process = await asyncio.create_subprocess_exec(
            *live_command(source),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
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
        try:
            stdin.write(block)
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EncoderGone from error

    async def wait(self, timeout_s: float) -> bool:
        """Wait until it has exited, for `timeout_s` at most; whether it has."""
        await asyncio.wait({self._exit}, timeout=timeout_s)
        return self.has_exited

    async def finish(self) -> bool:
        """Let it write what it has and exit; whether it did so without an error."""
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
