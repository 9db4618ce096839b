"""What really happened, by the database, and who was not shown it.

A gap is a stored entry that a viewer was neither told nor given a snapshot taken at or after it;
or something that a snapshot should have shown and did not. A duplicate is one thing shown twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Max

from core.realtime.models import LogEntry
from orders.models import Order
from sellers.models import Stock
from tests.chaos.actors import Actor
from tests.chaos.frames import CHAT, ORDER, STOCK, Frame, Library, Place, Snapshot, said
from tests.chaos.viewer import Viewer

RECENT_CHAT, RECENT_ORDERS = 50, 5
SHOWN_EXAMPLES = 10


@dataclass
class Log:
    """The stored log of one room, over all its epochs, which come in the order of their making."""

    epochs: list[str]
    order: dict[str, int]
    facts: frozenset[Place]
    chat: frozenset[Place]
    texts: frozenset[str]
    contents: dict[Place, tuple[str, dict[str, object], str | None]]
    chat_by_epoch: dict[str, list[tuple[int, str]]]
    orders_by_epoch: dict[str, list[int]]
    stock_by_epoch: dict[str, list[tuple[int, str, int]]]

    @property
    def places(self) -> frozenset[Place]:
        return self.facts | self.chat


def read_log(topic: str, epochs_seen: Sequence[str]) -> Log:
    """The log as the database has it; `epochs_seen` in the order in which viewers met them."""
    rows = list(LogEntry.objects.filter(topic=topic).order_by("id"))
    stored = list(dict.fromkeys(row.epoch for row in rows))
    epochs = [*[one for one in stored if one not in epochs_seen], *epochs_seen]
    log = Log(
        epochs=epochs,
        order={epoch: place for place, epoch in enumerate(epochs)},
        facts=frozenset((row.epoch, row.seq) for row in rows if row.type != CHAT),
        chat=frozenset((row.epoch, row.seq) for row in rows if row.type == CHAT),
        texts=frozenset(row.data["text"] for row in rows if row.type == CHAT),
        contents={
            (row.epoch, row.seq): (row.type, row.data, str(row.fact_id) if row.fact_id else None)
            for row in rows
        },
        chat_by_epoch=defaultdict(list),
        orders_by_epoch=defaultdict(list),
        stock_by_epoch=defaultdict(list),
    )
    for row in sorted(rows, key=lambda row: row.seq):
        if row.type == CHAT:
            log.chat_by_epoch[row.epoch].append((row.seq, row.data["text"]))
        elif row.type == ORDER:
            log.orders_by_epoch[row.epoch].append(row.seq)
        elif row.type == STOCK:
            version = (row.seq, row.data["variant_id"], row.data["version"])
            log.stock_by_epoch[row.epoch].append(version)
    return log


def is_stored(topic: str, epoch: str, seq: int) -> bool:
    """Whether the epoch ends at `seq` and every place of it is in the database.

    Its last place alone says nothing: a fact is stored by whoever told it, and the chat in front of
    it by a keeper, a moment later.
    """
    ends = LogEntry.objects.filter(topic=topic, epoch=epoch).aggregate(Max("seq"), Count("seq"))
    return (ends["seq__max"] or 0, ends["seq__count"]) == (seq, seq)


@dataclass
class Verdict:
    """How many of what, and a few examples that say where to look."""

    undetected_gaps: int = 0
    duplicates: int = 0
    snapshot_holes: int = 0
    conflicts: int = 0
    stored_holes: int = 0
    """Places of an epoch that are not stored, though later ones are."""
    acknowledged_lost: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, example: str) -> None:
        if len(self.examples) < SHOWN_EXAMPLES:
            self.examples.append(example)


def judge(viewers: Sequence[Viewer], library: Library, log: Log) -> Verdict:
    library.read_all()
    verdict = Verdict()
    for number, viewer in enumerate(viewers):
        missing = missed(viewer, log)
        verdict.undetected_gaps += len(missing)
        if missing:
            verdict.note(f"viewer {number} misses {len(missing)}: {sorted(missing)[:5]}")
        twice = shown_twice(viewer)
        verdict.duplicates += sum(twice.values())
        if twice:
            verdict.note(f"viewer {number} was shown twice: {list(twice)[:3]}")
    _judge_snapshots(viewers, log, verdict)
    _judge_contents(library, log, verdict)
    return verdict


def missed(viewer: Viewer, log: Log) -> set[Place]:
    """The stored entries that this viewer knows nothing of."""
    left = set(log.places)
    covered_upto = (-1, -1)
    for item in viewer.story:
        if isinstance(item, Frame):
            left -= item.places
        elif item.epoch in log.order:
            covered_upto = max(covered_upto, (log.order[item.epoch], item.seq))
    return {
        (epoch, seq) for epoch, seq in left if (log.order[epoch], seq) > covered_upto
    } - _thinned(viewer, log)


def _thinned(viewer: Viewer, log: Log) -> set[Place]:
    """Chat that the room said it left out; never facts."""
    return {
        (item.epoch, seq)
        for item in viewer.story
        if isinstance(item, Frame) and item.thinned
        for seq in range(item.from_, item.to + 1)
        if (item.epoch, seq) in log.chat
    }


def shown_twice(viewer: Viewer) -> Counter[str]:
    """What stood twice before this viewer's eyes."""
    ids: set[str] = set()
    shown: set[str] = set()
    twice: Counter[str] = Counter()
    for item in viewer.story:
        for known_by, what in item.shown:
            if known_by is not None and viewer.crowd.rules.knows_ids:
                if known_by in ids:
                    continue
                ids.add(known_by)
            # A snapshot takes the place of what was shown before it.
            if what in shown and isinstance(item, Frame):
                twice[what] += 1
            shown.add(what)
    return twice


def _judge_snapshots(viewers: Iterable[Viewer], log: Log, verdict: Verdict) -> None:
    seen: dict[tuple[str, int, int], int] = {}
    for viewer in viewers:
        for item in viewer.story:
            if isinstance(item, Snapshot):
                holes = _holes(item, log)
                verdict.snapshot_holes += len(holes)
                key = (item.epoch, item.seq, len(holes))
                if holes and not seen.setdefault(key, 0):
                    seen[key] = 1
                    verdict.note(f"the snapshot at {item.epoch} {item.seq} lacks {holes[:3]}")


def _holes(snapshot: Snapshot, log: Log) -> list[str]:
    """What the snapshot says it knows, and does not show."""
    said = log.chat_by_epoch.get(snapshot.epoch, [])
    upto = bisect_right(said, snapshot.seq, key=lambda one: one[0])
    lacks = [text for _, text in said[max(0, upto - RECENT_CHAT) : upto]]
    holes = [text for text in lacks if text not in snapshot.chat]
    orders = bisect_right(log.orders_by_epoch.get(snapshot.epoch, []), snapshot.seq)
    if snapshot.orders < min(orders, RECENT_ORDERS):
        holes.append(f"{min(orders, RECENT_ORDERS) - snapshot.orders} orders")
    for seq, variant, version in log.stock_by_epoch.get(snapshot.epoch, []):
        if seq <= snapshot.seq and snapshot.versions.get(variant, version) < version:
            holes.append(f"stock version {version} of {variant}")
    return holes


def _judge_contents(library: Library, log: Log, verdict: Verdict) -> None:
    """What was told is what is stored; every place of an epoch is there, and was told once."""
    for fault in library.faults:
        verdict.conflicts += 1
        verdict.note(fault)
    for place, told in library.at.items():
        stored = log.contents.get(place)
        if stored is None or told.type == "tombstone":
            continue
        if (told.type, told.data) != stored[:2] or (told.id and told.id != stored[2]):
            verdict.conflicts += 1
            verdict.note(f"{place}: told {told}, stored {stored}")
    for epoch in log.epochs:
        seqs = [seq for found, seq in log.contents if found == epoch]
        verdict.stored_holes += max(seqs, default=0) - len(seqs)


def told_but_not_stored(library: Library, log: Log) -> int:
    """What viewers saw and no replay will have, in whatever epoch."""
    ids = {fact_id for _, _, fact_id in log.contents.values()}
    return sum(
        place not in log.contents
        and (told.id is None or told.id not in ids)
        and said(told, place[0]) not in log.texts
        for place, told in library.at.items()
    )


def lost_chat(speakers: Iterable[Actor], log: Log) -> list[str]:
    """Messages whose senders were told that they are said, and that are nowhere."""
    return [wish.text for actor in speakers for wish in actor.done if wish.text not in log.texts]


def order_faults(buyers: Sequence[Actor], log: Log) -> list[str]:
    """What is wrong with the orders: one per key, each told once, the stock right."""
    done = [wish for buyer in buyers for wish in buyer.done]
    refused = [f"refused: {error}" for buyer in buyers for _, error in buyer.refused]
    keys = Counter(Order.objects.values_list("idempotency_key", flat=True))
    faults = [f"{wish.text} has {keys[wish.text]} orders" for wish in done if keys[wish.text] != 1]
    told = sum(len(seqs) for seqs in log.orders_by_epoch.values())
    if told != sum(keys.values()):
        faults.append(f"{sum(keys.values())} orders, of which {told} were told")
    placed = (wish for wish in done if keys[wish.text] == 1)
    bought = sum(line["quantity"] for wish in placed for line in wish.data["lines"])
    reserved = sum(Stock.objects.values_list("reserved", flat=True))
    if reserved != bought:
        faults.append(f"{reserved} reserved, {bought} ordered")
    return faults + refused
