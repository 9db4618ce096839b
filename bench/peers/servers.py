"""Each peer as a running server: how to start it, and what the load client must know of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.processes import (
    ROOT,
    BenchError,
    free_port,
    pinned,
    redis,
    temporary_folder,
    wait_for_port,
)

# What the product tells of a pinned offer, for peers that have no database to read it from.
OFFER = {
    "id": "0198c0de-0000-7000-8000-000000000002",
    "variant_id": "0198c0de-0000-7000-8000-000000000003",
    "title": "Huaniu apples, 5 kg box",
    "price_minor": 3590,
    "currency": "CNY",
    "available": 40,
    "stock_version": 1,
    "image_url": None,
}
SENDERS = 500


def no_tickets(count: int) -> list[str | None]:
    return [None] * count


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. `pids`: its process first, then what else works for it (Redis)."""

    port: int
    pids: list[int]
    path: str = "/"
    pin_data: dict[str, Any] = field(default_factory=lambda: {"offer": OFFER})
    tickets: Callable[[int], list[str | None]] = no_tickets

    def target(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "path": self.path,
            "pin_data": self.pin_data,
            "pids": self.pids,
        }


Start = Callable[[], AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class Peer:
    """One row of the table."""

    name: str
    label: str
    start: Start


@contextmanager
def stock_channels() -> Iterator[Running]:
    with temporary_folder() as folder, redis(folder) as (url, redis_pid):
        port, log = free_port(), folder / "daphne.log"
        command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port)]
        application = "bench.peers.stock_channels:application"
        with pinned([*command, application], log, env={"PEER_REDIS": url}) as process:
            wait_for_port(port, process, log)
            yield Running(port, [process.pid, redis_pid])


def node(batch_ms: int) -> Start:
    @contextmanager
    def start() -> Iterator[Running]:
        with temporary_folder() as folder:
            port, log = free_port(), folder / "node.log"
            env = {"PORT": str(port), "BATCH_MS": str(batch_ms)}
            with pinned(["node", "bench/peers/room.js"], log, env=env) as process:
                wait_for_port(port, process, log)
                yield Running(port, [process.pid])

    return start


def ours(server: str, *, on_redis: bool = False) -> Start:
    @contextmanager
    def start() -> Iterator[Running]:
        with temporary_folder() as folder:
            if not on_redis:
                with instance(folder, server, {}, []) as running:
                    yield running
                return
            with (
                redis(folder) as (url, pid),
                instance(folder, server, {"REDIS_URL": url}, [pid]) as running,
            ):
                yield running

    return start


@contextmanager
def instance(
    folder: Path, server: str, extra: dict[str, str], more_pids: list[int]
) -> Iterator[Running]:
    """The product as an operator starts it, but for the limits on chat, which are off."""
    port, log = free_port(), folder / "serve.log"
    env = {
        "LIVECOMMERCE_MODE": "up",
        "LIVECOMMERCE_DATA": str(folder / "data"),
        "DJANGO_SETTINGS_MODULE": "livecommerce.settings",
        "LIVECOMMERCE_CHAT_EVERY_S": "0",
        "LIVECOMMERCE_CHAT_LINES_PER_S": "0",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        **extra,
    }
    livecommerce = [sys.executable, "-m", "livecommerce.cli"]
    run([*livecommerce, "migrate"], env, log)
    world = json.loads(run([sys.executable, "-m", "bench.world", str(SENDERS)], env, log))
    serve = [*livecommerce, "serve", "--server", server, "--port", str(port)]
    with pinned(serve, log, env=env) as process:
        wait_for_port(port, process, log)
        yield Running(
            port=port,
            pids=[process.pid, *more_pids],
            path=f"/ws/shows/{world['show']}/",
            pin_data={"offer_id": world["offer"]},
            tickets=lambda count: tickets(world["people"][:count], env, log),
        )


def tickets(people: list[str], env: dict[str, str], log: Path) -> list[str | None]:
    """A ticket each, made by the instance's own code; they are good for a minute."""
    asked = [uuid.UUID(person).hex for person in people]
    found: list[str | None] = json.loads(
        run([sys.executable, "-m", "bench.mint"], env, log, stdin=json.dumps(asked))
    )
    return found


def run(command: list[str], env: dict[str, str], log: Path, stdin: str = "") -> str:
    """What the command prints; raises `BenchError` with what it said when it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"[-3000:])
    return done.stdout
