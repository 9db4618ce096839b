"""Simulated buyers: a room of personas that hears what the host does and answers with acts.

Pure and deterministic: the same seed, events and clock always give the same acts, whenever the
room was stored and taken up again between. Time is in whole seconds since the camera was on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from courses.practice import words
from courses.practice.personas import BY_NAME, PERSONAS, Persona

SILENT_S = 20
"""So long without a word, a message, a pin, an offer or an answer is a silence: nobody asks or
buys any more, one wonders aloud, and they begin to leave."""
QUIET_S = 8
"""From here on wanting things fades."""
TALKING_S = 4
"""A host who drew breath still talks."""
BETWEEN_S = 2
"""Between two acts in the room: faster than that nobody can read, as in a real one."""
PACE_S = 11
"""Between two acts of one buyer: reading, thinking, and typing on a phone."""
HEARD_S = 6
"""So much talking after a question may have been its answer; nobody here understands it."""
NAGS_AFTER_S = 45
LEAVES_IN_WORDS = 0.5
COMES_BACK_S = 20
"""Who left comes back once the host has talked so long again: one bad minute is not the end."""
ASK_RATE, HAGGLE_RATE, BUY_RATE, HELLO_RATE = 0.12, 0.12, 0.2, 0.25
"""The chance in each second that is right for it: people do not act at the first moment."""
FADES, FADES_IN_SILENCE = 0.006, 0.03
TALK_WITHOUT_GOODS = 0.25
"""Talking about nothing that is shown is worth this part."""
GREETED, ANSWERED, ANSWERED_ANOTHER, HEARD = 0.12, 0.3, 0.05, 0.1
LET_DOWN, UNANSWERED_COMPLAINT = 0.15, 0.01
CHEAPER = 1.5
"""What a price that falls by a tenth is worth, in tenths."""
LOWEST, HIGHEST = -0.5, 1.5


class Spoke(Struct, frozen=True, tag="spoke"):
    """The host's voice was heard in this second."""

    at_s: float


class Wrote(Struct, frozen=True, tag="wrote"):
    """The host wrote to the room."""

    at_s: float


class Pinned(Struct, frozen=True, tag="pinned"):
    """A good is shown large now; none if it is empty."""

    at_s: float
    good: str


class Offered(Struct, frozen=True, tag="offered"):
    """A good is on sale like this now. `worth_minor` is what buyers think it is worth."""

    at_s: float
    good: str
    title: str
    price_minor: int
    worth_minor: int
    is_open: bool
    is_drop: bool
    left: int


class Answered(Struct, frozen=True, tag="answered"):
    """The host marked this act (a question) as answered."""

    at_s: float
    act: int


Event = Spoke | Wrote | Pinned | Offered | Answered


class Act(Struct, frozen=True):
    """What a buyer does: `kind` is hello, ask, haggle, complain, again, wonder, leave, thanks,
    dear or order. `good` and `quantity` are those of an order, `text` is said in the chat."""

    number: int
    at_s: float
    persona: str
    kind: str
    text: str = ""
    good: str = ""
    quantity: int = 0
    price_minor: int = 0


QUESTIONS = frozenset({"ask", "haggle", "complain"})


class Shown(Struct):
    """A good as the room knows it."""

    title: str
    price_minor: int
    worth_minor: int
    is_open: bool
    is_drop: bool
    left: int

    @property
    def ratio(self) -> float:
        return self.price_minor / self.worth_minor


class Question(Struct):
    """What somebody asked, and what came of it."""

    act: int
    persona: str
    kind: str
    at_s: float
    is_answered: bool = False
    is_heard: bool = False
    nagged: bool = False


class Buyer(Struct):
    """One of them, now."""

    want: float = 0.0
    acted_at_s: float = -99.0
    is_here: bool = False
    has_left: bool = False
    asked: int = 0
    orders: int = 0
    haggled: list[str] = field(default_factory=list)
    wondered_at_s: float = -99.0
    owes_thanks: bool = False


class Room(Struct):
    """All of it; JSON by msgspec, so that another process can go on with it."""

    seed: int
    language: str
    clock_s: int = 0
    acts: int = 0
    acted_at_s: float = -99.0
    active_at_s: float = 0.0
    spoke: list[float] = field(default_factory=list)
    pinned: str = ""
    goods: dict[str, Shown] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    buyers: dict[str, Buyer] = field(default_factory=dict)
    wonders: int = 0

    @property
    def silence_s(self) -> float:
        return self.clock_s - self.active_at_s

    @property
    def is_talking(self) -> bool:
        return bool(self.spoke) and self.clock_s - self.spoke[-1] <= TALKING_S


def open_room(seed: int, language: str) -> Room:
    """A room before anybody came. The seed decides when each comes, and what luck they have."""
    return Room(seed, words.spoken(language), buyers={one.name: Buyer() for one in PERSONAS})


def step(room: Room, events: Sequence[Event], to_s: int) -> list[Act]:
    """Let the room live until `to_s` and hear these events at their times; what buyers do.

    An event that comes later than its time is heard now.
    """
    waiting = sorted(events, key=lambda event: event.at_s)
    acts: list[Act] = []
    while room.clock_s < to_s:
        room.clock_s += 1
        while waiting and waiting[0].at_s <= room.clock_s:
            _hear(room, waiting.pop(0))
        acts += _second(room)
    for late in waiting:
        _hear(room, late)
    return acts


# What is heard


def _hear(room: Room, event: Event) -> None:
    match event:
        case Spoke():
            room.spoke = [*room.spoke[-29:], event.at_s]
        case Wrote():
            _answer_first(room)
        case Pinned():
            _pin(room, event.good)
        case Offered():
            if not _offer(room, event):
                return  # what was on sale from the start, or was sold, is no act of the host
        case Answered():
            _answer(room, event.act)
    room.active_at_s = max(room.active_at_s, event.at_s)


def _pin(room: Room, good: str) -> None:
    room.pinned = good
    if good and good not in room.seen:
        room.seen.append(good)
        for persona, buyer in _present(room):
            _wants(buyer, persona.sees)


def _offer(room: Room, event: Offered) -> bool:
    """Take in how it is on sale now; whether that is the host's doing."""
    before = room.goods.get(event.good)
    now = room.goods[event.good] = Shown(
        event.title,
        event.price_minor,
        event.worth_minor,
        event.is_open,
        event.is_drop,
        event.left,
    )
    if before is None:
        return event.at_s > 0
    if (before.price_minor, before.is_open) == (now.price_minor, now.is_open):
        return False
    cheaper = max(0.0, before.ratio - now.ratio) * CHEAPER
    opened = now.is_drop and now.is_open and not before.is_open
    for persona, buyer in _present(room):
        _wants(buyer, cheaper + (persona.flash if opened else 0.0))
    return now.is_open or not before.is_drop  # a drop whose time is up closes by itself


def _answer_first(room: Room) -> None:
    """Whoever writes answers the oldest question: the room cannot know which was meant."""
    still = next((one for one in room.questions if not one.is_answered), None)
    if still is not None:
        _answer(room, still.act)


def _answer(room: Room, act: int) -> None:
    for one in room.questions:
        if one.act == act and not one.is_answered:
            one.is_answered = True
            room.buyers[one.persona].owes_thanks = True
            for persona, buyer in _present(room):
                _wants(buyer, ANSWERED if persona.name == one.persona else ANSWERED_ANOTHER)


# What they do in one second


def _second(room: Room) -> list[Act]:
    _come(room)
    _feel(room)
    _leave_questions_heard(room)
    acts = []
    for persona, buyer in _in_turn(room):
        made = _turn(room, persona, buyer)
        if made is not None:
            acts.append(made)
            break  # one at a time: others wait for their moment
    return acts


def _come(room: Room) -> None:
    lately = sum(1 for at_s in room.spoke if at_s > room.clock_s - 1.5 * COMES_BACK_S)
    for persona in PERSONAS:
        buyer = room.buyers[persona.name]
        if buyer.has_left and lately >= COMES_BACK_S and _roll(room, persona) < HELLO_RATE / 4:
            buyer.has_left, buyer.acted_at_s = False, 0.0
        late_s = _roll(room, persona, "comes", fixed=True) * 8
        if not buyer.is_here and not buyer.has_left and room.clock_s >= persona.comes_at_s + late_s:
            buyer.is_here = True
            # Who comes later sees at once what the others saw.
            _wants(buyer, persona.sees if room.pinned else 0.0)
            _wants(buyer, GREETED if room.silence_s < QUIET_S else 0.0)


def _feel(room: Room) -> None:
    talked = room.is_talking
    for persona, buyer in _present(room):
        if talked:
            _wants(buyer, persona.listens * (1.0 if room.pinned else TALK_WITHOUT_GOODS))
        elif room.silence_s >= SILENT_S:
            _wants(buyer, -FADES_IN_SILENCE)
        elif room.silence_s >= QUIET_S:
            _wants(buyer, -FADES)
        if any(one.kind == "complain" and _is_late(room, one) for one in room.questions):
            _wants(buyer, -UNANSWERED_COMPLAINT)


def _leave_questions_heard(room: Room) -> None:
    for one in room.questions:
        if one.is_heard or one.is_answered:
            continue
        if sum(1 for at_s in room.spoke if at_s > one.at_s) >= HEARD_S:
            one.is_heard = True
            _wants(room.buyers[one.persona], HEARD)


def _turn(room: Room, persona: Persona, buyer: Buyer) -> Act | None:
    if room.clock_s - room.acted_at_s < BETWEEN_S:
        return None
    if room.silence_s >= SILENT_S:
        return _in_silence(room, persona, buyer)
    if room.clock_s - buyer.acted_at_s < PACE_S:
        return None
    for possible in (_thanks, _nag, _hello, _complain_or_ask, _haggle, _buy):
        if (act := possible(room, persona, buyer)) is not None:
            return act
    return None


def _in_silence(room: Room, persona: Persona, buyer: Buyer) -> Act | None:
    """One wonders aloud every so often; who is out of patience goes."""
    if room.silence_s >= persona.leaves_after_s:
        buyer.is_here, buyer.has_left = False, True
        if _roll(room, persona, "in words") < LEAVES_IN_WORDS:
            return _say(room, persona, buyer, "leave")
        return None
    due = 1 + int((room.silence_s - SILENT_S) // SILENT_S)
    since = room.clock_s - buyer.wondered_at_s
    if _wonders_since(room) >= due or since < 3 * SILENT_S or _roll(room, persona) > 0.5:
        return None
    buyer.wondered_at_s = room.clock_s
    return _say(room, persona, buyer, "wonder")


def _wonders_since(room: Room) -> int:
    return sum(1 for one in room.buyers.values() if one.wondered_at_s >= room.active_at_s)


def _thanks(room: Room, persona: Persona, buyer: Buyer) -> Act | None:
    if not buyer.owes_thanks:
        return None
    buyer.owes_thanks = False
    return _say(room, persona, buyer, "thanks") if _roll(room, persona) < 0.4 else None


def _nag(room: Room, persona: Persona, buyer: Buyer) -> Act | None:
    for one in room.questions:
        if one.persona == persona.name and _is_late(room, one) and not one.nagged:
            one.nagged = True
            _wants(buyer, -LET_DOWN)
            return _say(room, persona, buyer, "again")
    return None


def _hello(room: Room, persona: Persona, buyer: Buyer) -> Act | None:
    if buyer.acted_at_s >= 0 or _roll(room, persona) > HELLO_RATE:
        return None
    if _roll(room, persona, "greets", fixed=True) < 0.5:
        buyer.acted_at_s = 0.0  # came in without a word
        return None
    return _say(room, persona, buyer, "hello")


def _complain_or_ask(room: Room, persona: Persona, buyer: Buyer) -> Act | None:
    if buyer.asked >= persona.asks or _has_open_question(room, persona):
        return None
    if not (room.pinned or persona.complains) or _roll(room, persona) > ASK_RATE:
        return None
    topic = persona.questions[buyer.asked % len(persona.questions)]
    buyer.asked += 1
    kind = "complain" if persona.complains else "ask"
    return _ask(room, persona, buyer, kind, topic)


def _haggle(room: Room, persona: Persona, buyer: Buyer) -> Act | None:
    good = room.goods.get(room.pinned)
    if good is None or good.ratio <= persona.haggles_above or room.pinned in buyer.haggled:
        return None
    if _has_open_question(room, persona) or _roll(room, persona) > HAGGLE_RATE:
        return None
    buyer.haggled.append(room.pinned)
    return _ask(room, persona, buyer, "haggle", "haggle")


def _buy(room: Room, persona: Persona, buyer: Buyer) -> Act | None:
    good = room.goods.get(room.pinned)
    if good is None or not good.is_open or good.left < 1:
        return None
    if buyer.want < 1 or buyer.orders >= persona.most_orders or _keeps_waiting(room, persona):
        return None
    if _roll(room, persona) > BUY_RATE:
        return None
    if good.ratio > persona.pays + 1e-9:
        buyer.want = 0.0
        return _say(room, persona, buyer, "dear")
    fewest, most = persona.quantity
    quantity = fewest + int(_roll(room, persona, "quantity") * (most - fewest + 1))
    buyer.orders += 1
    buyer.want -= 1.0
    quantity = min(quantity, good.left)
    good.left -= quantity
    return _act(
        room, persona, buyer, "order", good=room.pinned, quantity=quantity, price=good.price_minor
    )


def _keeps_waiting(room: Room, persona: Persona) -> bool:
    """For answers: those who do not need one buy once they were at least talked to."""
    if persona.waits_for_answer and room.buyers[persona.name].asked < persona.asks:
        return True
    mine = [one for one in room.questions if one.persona == persona.name]
    if persona.waits_for_answer:
        return any(not one.is_answered for one in mine)
    return any(not (one.is_answered or one.is_heard or one.kind == "haggle") for one in mine)


def _has_open_question(room: Room, persona: Persona) -> bool:
    mine = (one for one in room.questions if one.persona == persona.name)
    return any(not (one.is_answered or one.is_heard) for one in mine)


def _is_late(room: Room, one: Question) -> bool:
    return not one.is_answered and not one.is_heard and room.clock_s - one.at_s >= NAGS_AFTER_S


# Small things


def _ask(room: Room, persona: Persona, buyer: Buyer, kind: str, topic: str) -> Act:
    act = _say(room, persona, buyer, topic, kind=kind)
    room.questions.append(Question(act.number, persona.name, kind, act.at_s))
    return act


def _say(room: Room, persona: Persona, buyer: Buyer, what: str, kind: str = "") -> Act:
    good = room.goods.get(room.pinned) or next(iter(room.goods.values()), None)
    title = good.title if good else ""
    price = words.price_text(room.language, round(0.85 * good.price_minor) if good else 100)
    text = words.say(
        room.language, what, _roll(room, persona, "words"), good=title[:40], price=price
    )
    return _act(room, persona, buyer, kind or what, text=text)


def _act(
    room: Room,
    persona: Persona,
    buyer: Buyer,
    kind: str,
    *,
    text: str = "",
    good: str = "",
    quantity: int = 0,
    price: int = 0,
) -> Act:
    room.acts += 1
    room.acted_at_s = buyer.acted_at_s = room.clock_s
    return Act(room.acts, room.clock_s, persona.name, kind, text, good, quantity, price)


def _wants(buyer: Buyer, more: float) -> None:
    buyer.want = min(HIGHEST, max(LOWEST, buyer.want + more))


def _present(room: Room) -> Iterator[tuple[Persona, Buyer]]:
    return ((BY_NAME[name], one) for name, one in room.buyers.items() if one.is_here)


def _in_turn(room: Room) -> list[tuple[Persona, Buyer]]:
    """Those who are here, in another order each second: nobody is always first."""
    here = list(_present(room))
    random.Random(f"{room.seed}:{room.clock_s}").shuffle(here)  # noqa: S311 - a game of chance
    return here


def _roll(room: Room, persona: Persona, about: str = "", *, fixed: bool = False) -> float:
    """In [0, 1); the same for this second, persona and purpose however often it is asked."""
    when = "" if fixed else room.clock_s
    return random.Random(f"{room.seed}:{persona.name}:{about}:{when}").random()  # noqa: S311
