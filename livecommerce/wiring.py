"""Who hears what: the one table of facts and their handlers, and the periodic work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core import outbox
from core.outbox import Fact, Handler
from core.schedule import Periodic
from orders.events import OrderMoved, OrderPlaced
from sellers.events import StockChanged

HANDLERS: Mapping[type[Fact], Sequence[Handler]] = {
    StockChanged: (),
    OrderPlaced: (),
    OrderMoved: (),
}

PERIODIC: Sequence[Periodic] = ()


def connect() -> None:
    outbox.wiring.connect(HANDLERS)
