"""Who the simulated buyers are. They differ in what wins them, and each punishes one mistake."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Persona:
    """One kind of buyer. Times are in seconds, prices as a share of what a good is worth.

    `want` grows from 0, and at 1 they buy: by `listens` in each second in which the host talks of
    what is pinned, by `sees` when something is pinned, by `flash` when a drop opens.
    """

    name: str
    comes_at_s: float
    leaves_after_s: float
    """Of silence."""
    pays: float
    """The highest price that they pay."""
    listens: float
    sees: float
    flash: float
    asks: int
    """So many questions, before they buy."""
    waits_for_answer: bool = False
    """Whether being talked to is not enough: the host has to tap "answered", or to write."""
    haggles_above: float = 9.0
    """Above this price they ask for another one."""
    complains: bool = False
    quantity: tuple[int, int] = (1, 1)
    """The fewest and the most of one order."""
    most_orders: int = 2
    questions: tuple[str, ...] = field(default=("weight", "taste"))
    """Kinds of what they ask, in their order (`practice.words`)."""


PERSONAS: tuple[Persona, ...] = (
    # Came with the link and a minute to spare: buys what is shown early and clearly, and is the
    # first to leave. Punishes a slow start.
    Persona(
        name="hurried",
        comes_at_s=3,
        leaves_after_s=30,
        pays=1.05,
        listens=0.02,
        sees=0.45,
        flash=0.4,
        asks=0,
        most_orders=3,
    ),
    # Bought last year and comes to chat: forgives a higher price, but wants to be greeted and
    # spoken to. Punishes hosts who only show goods.
    Persona(
        name="regular",
        comes_at_s=6,
        leaves_after_s=90,
        pays=1.15,
        listens=0.013,
        sees=0.15,
        flash=0.25,
        asks=1,
        quantity=(1, 2),
        most_orders=3,
        questions=("harvest", "taste"),
    ),
    # Reads every label: two questions, and buys only once both were answered. Punishes talking
    # past the chat, which new hosts do most.
    Persona(
        name="careful",
        comes_at_s=14,
        leaves_after_s=75,
        pays=1.05,
        listens=0.012,
        sees=0.15,
        flash=0.1,
        asks=2,
        waits_for_answer=True,
        quantity=(1, 2),
        questions=("spraying", "weight", "storage"),
    ),
    # Knows the market's prices to the jin: asks for less, and buys when the price moves or the
    # asking is at least answered. Punishes prices out of the air.
    Persona(
        name="haggler",
        comes_at_s=22,
        leaves_after_s=60,
        pays=1.0,
        listens=0.011,
        sees=0.2,
        flash=0.5,
        asks=0,
        haggles_above=0.9,
        quantity=(1, 3),
    ),
    # Buys for an office or a feast: much at once, but only after it was explained well and it is
    # sure when it comes. Punishes showing one thing after the other without a word about it.
    Persona(
        name="gifts",
        comes_at_s=35,
        leaves_after_s=70,
        pays=1.1,
        listens=0.01,
        sees=0.1,
        flash=0.2,
        asks=1,
        quantity=(3, 5),
        most_orders=1,
        questions=("delivery", "box"),
    ),
    # Waits for the drop, as the many do who fill a room when it opens. Punishes shows without one.
    Persona(
        name="bargains",
        comes_at_s=45,
        leaves_after_s=80,
        pays=0.9,
        listens=0.008,
        sees=0.1,
        flash=0.9,
        asks=0,
        haggles_above=0.95,
        quantity=(1, 2),
        most_orders=3,
    ),
    # Something was bruised last time. Says so before everybody; a host who answers gets an order,
    # one who does not loses the others' trust. Punishes looking away.
    Persona(
        name="complainer",
        comes_at_s=55,
        leaves_after_s=90,
        pays=1.05,
        listens=0.009,
        sees=0.15,
        flash=0.2,
        asks=1,
        waits_for_answer=True,
        complains=True,
        most_orders=1,
        questions=("bruised",),
    ),
)
BY_NAME = {one.name: one for one in PERSONAS}
