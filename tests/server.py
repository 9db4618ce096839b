"""A real instance in processes of its own, on an empty data folder, as an operator starts it."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from tests import template
from tests.livecommerce.command import migrate

ROOT = Path(__file__).parent.parent
READY_WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class Server:
    """Where it answers, what it keeps, and how to run a command beside it."""

    url: str
    data: Path
    log: Path
    environment: dict[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "livecommerce.cli", *arguments]

    def run(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `livecommerce …` to its end with this instance's settings."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_port_everywhere() -> int:
    """For who listens on every network: below what the system gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("0.0.0.0", port))
            return port


@contextmanager
def running_instance(data: Path, *options: str, **settings: str) -> Iterator[Server]:
    """`livecommerce up` with the tests' world in it, stopped at the end as Ctrl-C would."""
    port = free_port_everywhere()
    environment = {**_environment(data), **settings}
    server = Server(f"http://localhost:{port}", data, data / "up.log", environment)
    _prepare(server)
    with server.log.open("w") as log:
        process = subprocess.Popen(
            server.command("up", "--port", str(port), *options),
            env=server.environment,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


class Served:
    """`livecommerce serve` as one process that can be killed and started again.

    `process` is the one that runs now; it has no supervisor and no children that serve.
    """

    def __init__(self, server: Server, kind: str) -> None:
        self._server = server
        self._kind = kind
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "start it first"
        return self._process

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def address(self) -> str:
        """`host:port`, as for `ws://…`."""
        return self.url.removeprefix("http://")

    @property
    def log(self) -> Path:
        return self._server.log

    @property
    def instance(self) -> Server:
        return self._server

    def start(self, *, wait: bool = True) -> None:
        """Start on the same port and data; with `wait`, return when `/readyz` answers 200."""
        port = self.url.rsplit(":", 1)[1]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self._server.command("serve", "--server", self._kind, "--port", port),
                env=self._server.environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        _wait_until_ready(self._server, self.process)

    def kill(self) -> None:
        """SIGKILL: nothing is said to anybody."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, as a service manager does; returns when it has ended."""
        if self._process is not None and self._process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)


@contextmanager
def serving(
    data: Path,
    *,
    server: str = "uvicorn",
    port: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """One web process on `data`, whose world is built at the first use of the folder.

    `env` adds to the environment, e.g. `REDIS_URL`, `DATABASE_URL`, `LIVECOMMERCE_CHAT_EVERY_S`.
    Several of these may share a folder when they share a `REDIS_URL`.
    """
    port = port or free_port()
    data.mkdir(parents=True, exist_ok=True)
    environment = {**_environment(data), **(env or {})}
    instance = Server(f"http://127.0.0.1:{port}", data, data / f"serve-{port}.log", environment)
    built = data / "world-built"
    if not built.exists():
        _prepare(instance)
        built.touch()
    served = Served(instance, server)
    try:
        served.start()
        yield served
    finally:
        served.stop()


@contextmanager
def running_web(data: Path, **settings: str) -> Iterator[Server]:
    """The web process of `running_instance` alone, for what needs no worker.

    A worker would make films of all that cameras send, at several times the cost of receiving it.
    """
    with serving(data, server="daphne", env=settings) as served:
        yield replace(served.instance, url=served.url.replace("127.0.0.1", "localhost"))


def _environment(data: Path) -> dict[str, str]:
    """This process's environment with an instance of its own on `data`, and SQLite in it."""
    environment = {
        **os.environ,
        "LIVECOMMERCE_MODE": "up",
        "LIVECOMMERCE_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "livecommerce.settings",
        "PYTHONUNBUFFERED": "1",
    }
    for name in ("DATABASE_URL", "REDIS_URL"):
        environment.pop(name, None)
    return environment


def _prepare(server: Server) -> None:
    """Migrate its database and build the tests' world in it."""
    if "DATABASE_URL" in server.environment:
        migrated = server.run("migrate")
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr
        _build(server)
    else:
        template.copy("world", server.data, _make_world)


def _make_world(data: Path) -> None:
    migrate(data)
    _build(unserved(data))


def prepare(data: Path) -> None:
    """Make the folder an SQLite instance with the tests' world in it, which nobody serves yet."""
    data.mkdir(parents=True, exist_ok=True)
    _prepare(unserved(data))


def unserved(data: Path) -> Server:
    return Server("", data, data / "up.log", _environment(data))


def _build(server: Server) -> None:
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup(); from tests import world; world.build()",
        ],
        env=server.environment,
        cwd=ROOT,
        check=True,
        timeout=120,
    )


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"it stopped by itself:\n{server.log.read_text()[-4000:]}"
        try:
            if httpx.get(f"{server.url}/readyz", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"not ready in {READY_WITHIN_S} s:\n{server.log.read_text()[-4000:]}")
