"""The load client: thousands of viewers in one process, the same for every peer.

It is driven by JSON lines on standard input and answers each by one on standard output:
`connect`, `idle`, `watch`, `flood` (as fast as it goes), `load` (so many a second), `stop`.
"""

from __future__ import annotations

import gc
import heapq
import json
import os
import resource
from collections import deque
from collections.abc import Callable
from typing import Any

from bench.crowd import Crowd, clock
from bench.latency import TICKS_PER_S, Counts, add_frame, percentile_ms, within

HANDSHAKES_AT_ONCE = 64
DRAIN_S = 10.0
QUIET_S = 3.0


class Meter:
    """What the client and the server used of their cores, in percent of one, over a stretch."""

    def __init__(self, server_pids: list[int]) -> None:
        self._pids = server_pids
        self._began = (clock(), own_cpu_s(), sum(map(cpu_s, server_pids)))

    def read(self) -> dict[str, float]:
        at, own, server = self._began
        took = clock() - at
        return {
            "seconds": round(took, 2),
            "client_cpu_pct": round(100 * (own_cpu_s() - own) / took, 1),
            "server_cpu_pct": round(100 * (sum(map(cpu_s, self._pids)) - server) / took, 1),
        }


def own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu_s(pid: int) -> float:
    """Seconds of processor that a process has used (`man 5 proc`), 0 once it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connect(crowd: Crowd, *, tickets: list[str | None], within_s: float = 180) -> dict[str, Any]:
    """Bring in one viewer per ticket (`null`: without an account), so many at a time."""
    began, waiting = clock(), deque(tickets)
    while waiting or crowd.joining:
        while waiting and crowd.joining < HANDSHAKES_AT_ONCE:
            crowd.open(waiting.popleft())
        crowd.serve(clock() + 0.05)
        if clock() - began > within_s:
            raise SystemExit(f"{len(crowd.sockets)} sockets asked, {crowd.joining} not let in")
    return {"sockets": len(crowd.still()), "took_s": round(clock() - began, 1)}


def idle(crowd: Crowd, *, for_s: float) -> dict[str, Any]:
    """Only be there."""
    until = clock() + for_s
    while clock() < until:
        crowd.serve(until)
    return {}


def watch(crowd: Crowd, *, for_s: float) -> dict[str, Any]:
    """Take what comes and say nothing but one line, at which a blaster begins."""
    begin_anew(crowd)
    crowd.say(0, lambda answer: None)
    idle(crowd, for_s=0.5)
    meter, began = Meter(crowd.server_pids), clock()
    idle(crowd, for_s=for_s)
    return {**delivered(crowd, began, clock()), **meter.read()}


def flood(
    crowd: Crowd, *, senders: int, warm_s: float, for_s: float, outstanding: int = 1
) -> dict[str, Any]:
    """Each sender says the next line when it is told its last one: as fast as it goes.

    Waiting for the room, and not for the answer, keeps what is said and what is told in step.
    """
    begin_anew(crowd)
    due: list[tuple[float, int]] = []

    def again(number: int) -> None:
        crowd.say(number, lambda answer: answered(number, answer))

    def answered(number: int, answer: dict[str, Any]) -> None:
        if (error := answer.get("error")) is not None:
            crowd.refused[error["code"]] += 1
            heapq.heappush(due, (clock() + (error.get("retry_after") or 1.0), number))

    crowd.hear_own(again)
    for number in range(senders):
        for _ in range(outstanding):
            again(number)
    began = clock()
    meter = Meter(crowd.server_pids)
    while (moment := clock()) < began + warm_s + for_s:
        if moment < began + warm_s:
            meter, measured_from = Meter(crowd.server_pids), moment
        while due and due[0][0] <= moment:
            again(heapq.heappop(due)[1])
        crowd.serve(moment + 0.05)
    measured_until, used = clock(), meter.read()
    crowd.hear_own(None)
    settle(crowd)
    return {"senders": senders, **delivered(crowd, measured_from, measured_until), **used}


def load(
    crowd: Crowd,
    *,
    chat_per_s: float,
    facts_per_s: float,
    warm_s: float,
    for_s: float,
    senders: int,
) -> dict[str, Any]:
    """So much is said and decided a second, whether or not the server keeps up.

    Viewers 1 to `senders` speak in turn; viewer 0 is the host, whose next fact waits for the
    answer to the last one, so that both know their order.
    """
    begin_anew(crowd)
    facts_before, began = len(crowd.fact_sent), clock() + 0.05
    counts_from = began + warm_s
    ends = counts_from + for_s
    talk = Talk(crowd, senders, Pace(began, chat_per_s, counts_from, ends))
    decisions = Decisions(crowd, Pace(began, facts_per_s, counts_from, ends))
    used = drive(crowd, talk, decisions, counts_from=counts_from, gives_up=ends + DRAIN_S)
    facts = len(crowd.fact_sent) - facts_before
    settle(crowd, facts=facts)
    return {
        "messages_sent": talk.pace.counted + decisions.pace.counted,
        **talk.told(),
        **waits(crowd, int(counts_from * TICKS_PER_S)),
        **facts_told(crowd, facts),
        **faults(crowd),
        **used,
    }


def drive(
    crowd: Crowd, talk: Talk, decisions: Decisions, *, counts_from: float, gives_up: float
) -> dict[str, float]:
    """Say and decide what is due, and take what comes; what that used of the cores."""
    meter, moment = None, clock()
    while (upcoming := talk.pace.upcoming + decisions.pace.upcoming) and moment <= gives_up:
        crowd.serve(max(moment + 0.001, min(upcoming)))
        moment = clock()
        if meter is None and moment >= counts_from:
            meter = Meter(crowd.server_pids)
        talk.go_on(moment)
        decisions.go_on(moment)
    return meter.read() if meter else {}


class Pace:
    """So many moments a second until it ends, and how many were taken from when they count."""

    def __init__(self, began: float, per_s: float, counts_from: float, ends: float) -> None:
        number = round(per_s * (ends - began))
        self._moments = (began + past / per_s for past in range(number))
        self._counts_from = counts_from
        self._next = next(self._moments, None)
        self.counted = 0

    @property
    def upcoming(self) -> list[float]:
        return [] if self._next is None else [self._next]

    def late(self, moment: float) -> float | None:
        """Take the next one if it is due; by how many seconds it was missed, `None` if not due."""
        if self._next is None or self._next > moment:
            return None
        late_s = moment - self._next
        self._next = next(self._moments, None)
        self.counted += moment >= self._counts_from
        return late_s


class Talk:
    """What viewers 1 to `senders` say, in turn."""

    def __init__(self, crowd: Crowd, senders: int, pace: Pace) -> None:
        self._crowd, self._senders, self.pace = crowd, senders, pace
        self._said, self._answers, self._late_s = 0, 0, 0.0

    def go_on(self, moment: float) -> None:
        while (late_s := self.pace.late(moment)) is not None:
            self._crowd.say(1 + self._said % self._senders, self._answered)
            self._said, self._late_s = self._said + 1, max(self._late_s, late_s)

    def _answered(self, answer: dict[str, Any]) -> None:
        self._answers += 1
        if "error" in answer:
            self._crowd.refused[answer["error"]["code"]] += 1

    def told(self) -> dict[str, Any]:
        return {
            "said": self._said,
            "not_answered": self._said - self._answers,
            "latest_send_ms": round(1000 * self._late_s, 1),
        }


class Decisions:
    """The host's facts: an offer is pinned, then unpinned, one after the other."""

    def __init__(self, crowd: Crowd, pace: Pace) -> None:
        self._crowd, self.pace = crowd, pace
        self._is_free = True

    def go_on(self, moment: float) -> None:
        if self._is_free and self.pace.late(moment) is not None:
            self._decide()

    def _decide(self) -> None:
        pins = len(self._crowd.fact_sent) % 2 == 0
        self._is_free = False
        self._crowd.fact_sent.append(clock())
        do, data = ("product.pin", self._crowd.pin_data) if pins else ("product.unpin", {})
        self._crowd.ask(0, do, data, self._answered)

    def _answered(self, answer: dict[str, Any]) -> None:
        if "error" in answer:
            raise SystemExit(f"a fact was refused: {answer}")
        self._is_free = True


def begin_anew(crowd: Crowd) -> None:
    """Let nothing count that came before, and leave no garbage of it to be collected later."""
    crowd.forget()
    gc.collect()


def settle(crowd: Crowd, facts: int = 0) -> None:
    """Wait until everybody has been told everything, or nobody is told anything any more."""
    until = clock() + DRAIN_S
    while clock() < until and clock() - crowd.last_heard < QUIET_S:
        for _ in range(20):
            crowd.serve(clock() + 0.05)
        there = [one for one in crowd.there if one.fd >= 0]
        places = {one.last for one in there}
        if len(places) < 2 and not crowd.asked and all(one.facts >= facts for one in there):
            return


def delivered(crowd: Crowd, began: float, ended: float) -> dict[str, Any]:
    """Messages and frames that reached sockets in the time, a second."""
    first, last = int(began * TICKS_PER_S), int(ended * TICKS_PER_S)
    took, messages, frames = (last - first) / TICKS_PER_S, 0, 0
    for number, frame in enumerate(crowd.frames):
        sockets = within(crowd.received(number), first, last)
        frames += sockets
        messages += sockets * (frame.last - frame.first + 1)
    told = {"delivered_per_s": round(messages / took), "frames_per_s": round(frames / took)}
    return {**told, **faults(crowd)}


def waits(crowd: Crowd, first_tick: int) -> dict[str, Any]:
    """From send to receive over all deliveries of what was sent from the first tick on."""
    counts: Counts = {}
    for number, frame in enumerate(crowd.frames):
        sent = [tick for tick in frame.sent if tick >= first_tick]
        add_frame(counts, crowd.received(number), sent)
    return {
        "deliveries": sum(counts.values()),
        "p50_ms": percentile_ms(counts, 0.5),
        "p99_ms": percentile_ms(counts, 0.99),
        "max_ms": percentile_ms(counts, 1.0),
    }


def facts_told(crowd: Crowd, facts: int) -> dict[str, int]:
    missing = sum(max(0, facts - told) for told in crowd.facts)
    return {"facts": facts, "facts_missing": missing}


def faults(crowd: Crowd) -> dict[str, Any]:
    return {
        "gaps": crowd.gaps,
        "closed": dict(crowd.closed),
        "refused": dict(crowd.refused),
        "thinned": sum(frame.thinned for frame in crowd.frames),
    }


DO: dict[str, Callable[..., dict[str, Any]]] = {
    "connect": connect,
    "idle": idle,
    "watch": watch,
    "flood": flood,
    "load": load,
}


def main() -> None:
    # Unbuffered, so that epoll knows of every line that was not read yet.
    lines = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115
    crowd = Crowd(json.loads(lines.readline()))
    crowd.heed(lines.fileno())
    gc.freeze()
    while True:
        while not crowd.serve(clock() + 1):
            pass
        asked = json.loads(lines.readline() or b'{"do": "stop"}')
        do = asked.pop("do")
        if do == "stop":
            return
        print(json.dumps(DO[do](crowd, **asked)), flush=True)


if __name__ == "__main__":
    main()
