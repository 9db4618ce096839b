"""`make bench-room`: the room against its peers, in one run, on one server core.

The server has one core and the load client the other. Every peer gets the same commands from the
same client and answers with the same events. Writes build/bench/room.json, the table in
docs/benchmarks.md and the picture beside it. `--quick` is for trying it out: small and short.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import hot, room_page
from bench.peers.servers import SENDERS, Peer, Running, node, ours, stock_channels
from bench.processes import (
    CLIENT_CORE,
    CORES,
    SERVER_CORE,
    BenchError,
    Client,
    free_port,
    pinned,
    rss_kb,
    temporary_folder,
    wait_until_said,
)
from bench.report import Goal, ratio, result, write

CHAT_PER_S, FACTS_PER_S, SPEAKERS = 100, 10, 100
CLIENT_IS_LIMIT_PCT = 85.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much and how long. The figures are named for the full one."""

    crowd: int = 5000
    load_s: float = 30
    overloaded_s: float = 10
    warm_s: float = 3
    flooded: int = 500
    flood_s: float = 6
    senders: Sequence[int] = (20, 100, SENDERS)
    curve: Sequence[int] = (500, 1000, 2500, 5000, 10_000, 15_000)
    curve_s: float = 12
    blast_s: float = 4
    idle_s: float = 5


FULL = Scale()
QUICK = Scale(
    crowd=1000,
    load_s=5,
    overloaded_s=3,
    warm_s=1,
    flood_s=3,
    senders=(SENDERS,),
    curve=(500, 1000),
    curve_s=4,
    blast_s=2,
    idle_s=2,
)

PEERS = [
    Peer("stock_channels", "Channels, `group_send`, Redis pub/sub, Daphne", stock_channels),
    Peer("node_ws", "Node.js `ws`, one send per message", node(0)),
    Peer("node_batched", "Node.js `ws`, batched every 100 ms", node(100)),
    Peer("daphne", "livecommerce, Daphne", ours("daphne")),
    Peer("uvicorn", "livecommerce, uvicorn", ours("uvicorn")),
    Peer("redis", "livecommerce, uvicorn, Redis Streams", ours("uvicorn", on_redis=True)),
]
# They cannot do a tenth of the second load; a short stretch shows that as well as a long one.
OVERLOADED = {"stock_channels", "node_ws"}
CURVE = ("uvicorn", "node_batched")

GOALS = [
    Goal("vs_node_ws", ">= 5", "messages delivered a second, against `ws` with one send each"),
    Goal("vs_stock_channels", ">= 100", "messages delivered a second, against stock Channels"),
    Goal("p99_ms_5000", "<= 200", "p99 with 5,000 viewers, ms"),
    Goal("p99_vs_node_batched", "<= 1.0", "that p99, against `ws` batched by hand"),
    Goal("facts_missing_5000", "== 0", "facts that a viewer was not told"),
    Goal("redis_p99_vs_in_process", "<= 1.3", "p99 on Redis Streams, against the log in process"),
    Goal("kb_per_viewer", "<= 30", "memory for each idle viewer, KB"),
    Goal(
        "client_cpu_pct_most",
        f"<= {CLIENT_IS_LIMIT_PCT:.0f}",
        "the load client's core at the busiest of all these figures, %: it was not the limit",
    ),
]


@contextmanager
def crowded(peer: Peer, speakers: int, others: int) -> Iterator[tuple[Running, Client, Any]]:
    """The peer with its host, those who speak and those who only watch; and its memory, told."""
    with peer.start() as running, Client(running.target()) as client:
        client.do("connect", tickets=running.tickets(1 + speakers))
        client.do("idle", for_s=2)
        before = rss_kb(running.pids[0])
        came = client.do("connect", tickets=[None] * others)
        client.do("idle", for_s=5)
        grown = (rss_kb(running.pids[0]) - before) / others if others else None
        yield running, client, {"came": came, "kb_per_viewer": grown}


def flood(peer: Peer, scale: Scale) -> dict[str, Any]:
    """The first load, with the number of senders that suits this peer best."""
    say(f"{peer.name}: {scale.flooded} sockets, as fast as it goes")
    with peer.start() as running, Client(running.target()) as client:
        client.do("connect", tickets=running.tickets(scale.flooded))
        tries = [
            client.do("flood", senders=senders, warm_s=scale.warm_s / 2, for_s=scale.flood_s)
            for senders in scale.senders
        ]
    best = max(tries, key=lambda one: one["delivered_per_s"])
    return marked({**best, "tries": tries})


def load(peer: Peer, scale: Scale) -> dict[str, Any]:
    """The second load; and, before it, what each idle viewer costs."""
    say(f"{peer.name}: {scale.crowd} sockets, {CHAT_PER_S} messages and {FACTS_PER_S} facts/s")
    for_s = scale.overloaded_s if peer.name in OVERLOADED else scale.load_s
    with crowded(peer, SPEAKERS, scale.crowd - SPEAKERS - 1) as (running, client, grown):
        found = client.do("load", **pace(scale.warm_s, for_s))
        found["rss_mb_after"] = round(rss_kb(running.pids[0]) / 1024, 1)
    return marked({**grown, **found, "delivered_share": share(found, scale.crowd)})


def curve(peer: Peer, scale: Scale) -> list[dict[str, Any]]:
    """The second load on a room that grows."""
    say(f"{peer.name}: a room that grows to {scale.curve[-1]}")
    found = []
    with crowded(peer, SPEAKERS, 0) as (_, client, _grown):
        there = 1 + SPEAKERS
        for viewers in scale.curve:
            client.do("connect", tickets=[None] * (viewers - there))
            there = viewers
            client.do("idle", for_s=2)
            point = client.do("load", **pace(scale.warm_s, scale.curve_s))
            found.append(marked({"viewers": viewers, **point}))
            say(f"  {viewers}: p99 {point['p99_ms']} ms")
    return found


def pace(warm_s: float, for_s: float) -> dict[str, float]:
    return {
        "chat_per_s": CHAT_PER_S,
        "facts_per_s": FACTS_PER_S,
        "warm_s": warm_s,
        "for_s": for_s,
        "senders": SPEAKERS,
    }


def share(found: dict[str, Any], sockets: int) -> float | None:
    """How much of what was sent had arrived when nothing came any more."""
    wanted: int = found["messages_sent"] * sockets
    return round(found["deliveries"] / wanted, 4) if wanted else None


def blast(scale: Scale) -> dict[str, Any]:
    """What the load client takes from a server that only writes prepared frames."""
    shapes = {
        "500 sockets, 1 message a frame": (500, 1),
        "500 sockets, 100 messages a frame": (500, 100),
        f"{scale.crowd} sockets, 11 messages a frame": (scale.crowd, 11),
    }
    return {name: blasted(sockets, per, scale.blast_s) for name, (sockets, per) in shapes.items()}


def blasted(sockets: int, messages: int, for_s: float) -> dict[str, Any]:
    say(f"the load client alone: {sockets} sockets, {messages} messages a frame")
    port = free_port()
    arguments = [str(port), str(sockets), str(messages), str(for_s + 3)]
    with temporary_folder() as folder:
        log = folder / "blaster.log"
        with pinned([sys.executable, "-m", "bench.blaster", *arguments], log) as process:
            wait_until_said("ready", process, log)
            with Client(Running(port, [process.pid]).target()) as client:
                client.do("connect", tickets=[None] * sockets)
                return client.do("watch", for_s=for_s)


def marked(found: dict[str, Any]) -> dict[str, Any]:
    """With whether the load client, and not the server, may have set the figure."""
    return {**found, "limited_by_client": found["client_cpu_pct"] > CLIENT_IS_LIMIT_PCT}


def client_cpu_pct_most(peers: dict[str, Any], points: dict[str, Any]) -> float | None:
    """How busy the load client was at the busiest of the figures that are shown."""
    loads = [peer[name] for peer in peers.values() for name in ("flood", "load")]
    shown = [*loads, *(point for line in points.values() for point in line)]
    return max((one["client_cpu_pct"] for one in shown), default=None)


def figures(peers: dict[str, Any], points: dict[str, Any]) -> dict[str, float | None]:
    def told(name: str, load: str, figure: str) -> float | None:
        value: float | None = peers.get(name, {}).get(load, {}).get(figure)
        return value

    fast = told("uvicorn", "flood", "delivered_per_s")
    p99 = told("uvicorn", "load", "p99_ms")
    return {
        "vs_node_ws": ratio(fast, told("node_ws", "flood", "delivered_per_s")),
        "vs_stock_channels": ratio(fast, told("stock_channels", "flood", "delivered_per_s")),
        "p99_ms_5000": p99,
        "p99_vs_node_batched": ratio(p99, told("node_batched", "load", "p99_ms")),
        "daphne_p99_ms_5000": told("daphne", "load", "p99_ms"),
        "redis_p99_vs_in_process": ratio(told("redis", "load", "p99_ms"), p99),
        "facts_missing_5000": told("uvicorn", "load", "facts_missing"),
        "kb_per_viewer": told("uvicorn", "load", "kb_per_viewer"),
        "gaps_5000": told("uvicorn", "load", "gaps"),
        "client_cpu_pct_most": client_cpu_pct_most(peers, points),
    }


def measure(scale: Scale, chosen: Sequence[Peer], *, with_curve: bool) -> dict[str, Any]:
    began = time.monotonic()
    client = blast(scale)
    peers = {
        peer.name: {"label": peer.label, "flood": flood(peer, scale), "load": load(peer, scale)}
        for peer in chosen
    }
    drawn = [peer for peer in chosen if peer.name in CURVE and with_curve]
    points = {peer.name: curve(peer, scale) for peer in drawn}
    return result(
        peers=peers,
        figures=figures(peers, points),
        goals=GOALS,
        client=client,
        curve=points,
        scale={"crowd": scale.crowd, "flooded": scale.flooded, "load_s": scale.load_s},
        cores={"server": SERVER_CORE, "client": CLIENT_CORE, "shared": len(CORES) < 2},
        took_s=round(time.monotonic() - began),
    )


def say(line: str) -> None:
    print(f"bench-room: {line}", file=sys.stderr, flush=True)


def last_line(found: dict[str, Any]) -> str:
    met = sum(goal["met"] for goal in found["goals"])
    missed = [goal["figure"] for goal in found["goals"] if not goal["met"]]
    told = ", ".join(f"{name} {value}" for name, value in found["figures"].items())
    verdict = f"{met} of {len(found['goals'])} goals met"
    return f"{verdict}{': not ' + ', '.join(missed) if missed else ''}. {told}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and short, to try it out")
    parser.add_argument("--only", nargs="*", choices=[peer.name for peer in PEERS])
    parser.add_argument("--no-curve", action="store_true")
    asked = parser.parse_args()
    hot.built()  # it takes a second, and ends all this where there is no compiler
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    chosen = [peer for peer in PEERS if not asked.only or peer.name in asked.only]
    scale = QUICK if asked.quick else FULL
    try:
        found = measure(scale, chosen, with_curve=not asked.no_curve)
    except BenchError as error:
        say("\n".join([str(error), *getattr(error, "__notes__", [])]))
        return 1
    is_whole = len(chosen) == len(PEERS) and not asked.quick and not asked.no_curve
    write("room" if is_whole else "room-quick", found)
    if is_whole:
        room_page.update(found)
    print(last_line(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
