"""A real instance in processes of its own, on an empty data folder, as an operator starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
READY_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Server:
    """Where it answers, what it keeps, and how to run a command beside it."""

    url: str
    data: Path
    log: Path
    environment: dict[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "livecommerce.cli", *arguments]

    def run(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
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


@contextmanager
def running_instance(data: Path) -> Iterator[Server]:
    """`livecommerce up` with the tests' world in it, stopped at the end as Ctrl-C would."""
    port = free_port()
    environment = {
        **os.environ,
        "LIVECOMMERCE_MODE": "up",
        "LIVECOMMERCE_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "livecommerce.settings",
        "PYTHONUNBUFFERED": "1",
    }
    environment.pop("DATABASE_URL", None)
    server = Server(f"http://localhost:{port}", data, data / "up.log", environment)
    _prepare(server)
    with server.log.open("w") as log:
        process = subprocess.Popen(
            server.command("up", "--port", str(port)),
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def _prepare(server: Server) -> None:
    migrated = server.run("migrate")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup(); from tests import world; world.build()",
        ],
        env=server.environment,
        cwd=ROOT,
        check=True,
        timeout=60,
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
