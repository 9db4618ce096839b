"""Starting servers on one core and the load client on another."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
READY_WITHIN_S = 60.0
KEEPS_ALL = ["--maxmemory-policy", "noeviction"]


class BenchError(Exception):
    """The measurement cannot go on, and why."""


@contextmanager
def pinned(
    command: Sequence[str], log: Path, *, core: int = SERVER_CORE, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on one core for as long as the block lasts; what it says is in `log`."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        yield process
    except BenchError as error:
        error.add_note(f"{log.name} ends:\n{log.read_text(errors='replace')[-3000:]}")
        raise
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop; a server that is busy with a room that has left is not waited for long."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_said(word: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the process has said the word. Raises `BenchError` with the end of the log."""
    _wait_until(lambda: word in log.read_text(errors="replace"), process, log)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once somebody listens there. Raises `BenchError` with the end of the log."""
    _wait_until(lambda: _listens(port), process, log)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_until(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not is_ready():
        if time.monotonic() > deadline or process.poll() is not None:
            said = log.read_text(errors="replace")[-3000:]
            raise BenchError(f"a server did not start:\n{said}")
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def redis(folder: Path) -> Iterator[tuple[str, int]]:
    """A Redis on the server's core that keeps what it is told as operations.md says: url, pid."""
    port, log = free_port(), folder / "redis.log"
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    with pinned([*command, "--save", "", "--appendonly", "yes", *KEEPS_ALL], log) as process:
        wait_for_port(port, process, log)
        yield f"redis://127.0.0.1:{port}/0", process.pid


@contextmanager
def temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lc-bench-") as folder:
        yield Path(folder)


def rss_kb(pid: int) -> int:
    """Resident memory of a process (`man 5 proc`)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise BenchError(f"process {pid} says nothing of its memory")


class Client:
    """The load client, in a process and on a core of its own."""

    def __init__(self, target: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.client"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {CLIENT_CORE}),
        )
        self._write(target)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it. Its sockets end with it, by resets."""
        self._process.kill()
        self._process.wait()

    def do(self, what: str, **how: Any) -> dict[str, Any]:
        """Let the client do one thing and return what it found. Raises `BenchError`."""
        self._write({"do": what, **how})
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"the load client ended during {what!r}; its reason is above")
        found: dict[str, Any] = json.loads(line)
        return found

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise BenchError("the load client ended; its reason is above") from error
