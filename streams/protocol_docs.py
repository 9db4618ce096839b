"""`docs/protocol.md`, made from the types of `streams.protocol`.

`python manage.py protocol_docs` writes it; a test fails when the page and the types differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from core.realtime import frames, hub, rooms, tickets
from orders.selectors import OfferView
from streams import client, consumers, me_protocol, resume
from streams import protocol as room
from streams.moderation_handlers import ModerationDone
from streams.services import chat, moderation
from streams.studio import figures
from streams.studio import protocol as studio

JAVASCRIPT = Path(__file__).parent / "static/streams/room-client.js"

OPENING = f"""# The room protocol, version 1

<!-- Made from streams/protocol/ by `python manage.py protocol_docs`: change the types instead. -->

One WebSocket per viewer and show: `/ws/shows/<id>/?epoch=…&seq=…&resume=1`, the query only when
coming back. All frames are JSON text. Two clients that others may take: `room-client.js` (one file,
no dependencies) and `streams/client.py` for Python; both are [below](#clients).

## Coming in

A browser is let in by its session cookie and an `Origin` of this site. Any other client (no
`Origin`) sends a first frame, `{{"ticket": "…"}}`, or `{{"ticket": null}}` to watch without an
account. A socket that is refused is accepted and then closed with a code.

A ticket is in the name of who is signed in, works once and for {tickets.LIFETIME_S} seconds. The request
has no body; a client with a session sends its cookies `sessionid` and `csrftoken`, and the value of
the latter, which the sign-in page sets, in `X-CSRFToken` (and a `Referer` of this site over https).
Not signed in: 401.

```
POST /api/v1/realtime/tickets
Cookie: sessionid=…; csrftoken=abc
X-CSRFToken: abc

201 {{"ticket": "…", "expires_s": {tickets.LIFETIME_S}}}
```

The first frame from the server is `hello`.

```
→ {{"id": 3, "do": "chat.send", "data": {{"text": "how heavy is a box?"}}}}
← {{"id": 3, "ok": {{"seq": 813}}}}   or   {{"id": 3, "error": {{"code": "too_many", "message": "…", "retry_after": 1.4}}}}
← {{"hello": {{"epoch": "…", "seq": 812, "recovered": false, "you": {{…}}, "snapshot": {{…}}}}}}
← {{"from": 813, "to": 821, "events": [{{"seq": 813, "at": "2026-11-21T09:30:01.204Z", "type": "chat.message", "data": {{…}}}}, …]}}
← {{"now": {{"viewers": 812, "likes": 10423}}}}
```

The room tells what happened at most every {round(hub.TICK_S * 1000)} ms in one frame, and `now` at
most once every {hub.NOW_EVERY_S:g} s. Pass over the events of a frame that you have had; a `from`
above the last `to` + 1 is a gap: come back with your position. `thinned` counts chat of viewers
that was too much to read: nothing else is ever left out.

Frames from clients may have at most {room.LONGEST_FRAME} bytes; up to {consumers.BURST} may come at
once, then one every {consumers.EVERY_S * 1000:g} ms. Unknown fields, wrong types, unknown commands
and frames too many are answered by an error, which names the `field` at fault; only who goes on for
{consumers.REFUSALS_AT_MOST} frames too many is closed. Pass over what you do not know: fields and
event types may be added.

## Limits of what is typed

Characters, after spaces at the ends are taken off; more is answered by `invalid_input`.

| What | Most |
| --- | --- |
| `text` of `chat.send` | {chat.LONGEST_TEXT} |
| `key` of `chat.send`, `key` of `order.place` | 64 |
| `name` of a delivery | 60 |
| `phone` of a delivery | 6 to 18 digits, `+` before them if need be; spaces and hyphens do not count |
| `address` of a delivery | 200, and at least 5 |
| `note` of an order | 200 |
| `reason` of a mute or ban | {moderation.LONGEST_REASON}; only the show's own people see it |

## Coming back

1. Give the last `epoch` and `seq` in the address. You get everything since (`recovered: true`) or a
   new snapshot, never a part.
2. Add `resume=1` and send `{{"resume": "…"}}` as the first frame, with the token of the last `hello`:
   then nobody has to be looked up. It is good for {resume.LIFETIME_S // 60} minutes, in this room and for this session. A
   browser whose token is no longer good is known by its cookie; another client may send its
   `ticket` beside it.
3. Wait as long as the server says. The reason of a close with 4408 or 4503 may be
   `retry_after=<seconds>`: each socket has its own. After any other loss wait a random time of up
   to `retry_within_s` of the last `hello`; after a failed attempt longer each time, at random.
4. The room says something at least every {rooms.HEARTBEAT_S:g} s. A line on which nothing was heard for
   `quiet_s` is dead, whatever the network says.
5. Send again, once, what has a `key` and was not answered: it is done once.
6. An `epoch` that is new means that history was lost: begin with the snapshot, and show each event
   `id` once, since a fact may be told again.
"""  # noqa: E501 - the samples are frames

STUDIO = """## The studio

`/ws/studio/<id>/` is for the show's host and moderators: the same protocol and frames, with types
of its own. It has no `resume` token, and of the commands only `ping`.
"""
STUDIO_EVENTS = (
    studio.OrderPlacedInFull,
    studio.OrderMovedInFull,
    studio.StockLow,
    studio.ShowReviewedInFull,
    studio.RenditionsChanged,
    ModerationDone,
)
STUDIO_TYPES = (
    studio.StudioSnapshot,
    studio.StudioOrder,
    studio.StudioLine,
    studio.HeldViewer,
    studio.ReviewView,
    figures.Figures,
    figures.Minute,
)

MINE = """## What is yours

`/ws/me/` is for whoever is signed in, and tells what happens to their own orders, and
what needs an answer in a shop of theirs: the same protocol and frames, with types of its own. It
has no `resume` token, and of the commands only `ping`. `now` has `jobs`, which is another number
each time when something that is being made for you has changed: ask again how it is.
"""
MY_EVENTS = (
    me_protocol.OrderChanged,
    me_protocol.PaymentChanged,
    me_protocol.RefundChanged,
    me_protocol.ClaimMoved,
    me_protocol.ShopClaimMoved,
    me_protocol.PracticeReviewed,
    me_protocol.MessageCame,
)
MY_TYPES = (me_protocol.MySnapshot, me_protocol.OrderUnderWay)

CLIENTS = """## Clients

JavaScript ([all of it](../streams/static/streams/room-client.js)): a page of the site, or, with a
`ticket`, whatever has a browser's `WebSocket`.

```js
{javascript}
```

Python ([all of it](../streams/client.py)):

```python
{python}
```
"""


def render() -> str:
    """The whole page."""
    return "\n".join(_sections()).rstrip() + "\n"


def _sections() -> Iterator[str]:
    yield OPENING
    yield "## Commands\n"
    yield 'Each is sent as `{"id", "do", "data"}`; `id` is a number of your choice.\n'
    yield from _types((f"`{kind.do}`", kind) for kind in room.COMMANDS.values())
    yield from _types(
        (kind.__name__, kind) for kind in (room.WishedLine, room.Courier, room.Pickup)
    )
    yield "## Answers\n"
    answers = (room.OkAnswer, room.PlacedOrder, room.ErrorAnswer, room.ErrorBody)
    yield from _types((kind.__name__, kind) for kind in answers)
    yield _table("Code", "Meaning", ((f"`{c}`", text) for c, text in room.ERROR_CODES.items()))
    yield "## Events\n"
    yield "The `data` of each type of event; `seq` and `at` are beside it.\n"
    yield from _types((f"`{kind.type}`", kind) for kind in room.EVENTS.values())
    yield from _types([("SoldLine", room.SoldLine), ("OfferView", OfferView)])
    yield "## Frames from the server\n"
    told = (room.Hello, room.HelloBody, room.You, room.Snapshot, room.ShowView)
    yield from _types((kind.__name__, kind) for kind in told)
    yield from _types((kind.__name__, kind) for kind in (frames.Events, frames.Event, frames.Now))
    yield STUDIO
    yield from _types((f"`{kind.type}`", kind) for kind in STUDIO_EVENTS)
    yield from _types((kind.__name__, kind) for kind in STUDIO_TYPES)
    yield MINE
    yield from _types((f"`{kind.type}`", kind) for kind in MY_EVENTS)
    yield from _types((kind.__name__, kind) for kind in MY_TYPES)
    yield "## Closing codes\n"
    yield _table("Code", "Meaning", ((str(c), text) for c, text in room.CLOSE_CODES.items()))
    head = JAVASCRIPT.read_text().partition("*/")[0]
    comment = "\n".join(line[3:] for line in head.splitlines())
    yield CLIENTS.format(javascript=_example(comment), python=_example(client.__doc__ or ""))


def _example(comment: str) -> str:
    """The indented lines of what is written at the head of a client."""
    lines = [line[4:] for line in comment.splitlines() if line.startswith("    ")]
    return "\n".join(lines)


def _types(named: Iterable[tuple[str, type[msgspec.Struct]]]) -> Iterator[str]:
    for name, kind in named:
        yield f"### {name}\n"
        yield f"{_docstring(kind)}\n"
        if kind.__struct_fields__:
            yield _table("Field", "Type", _fields(kind))


def _docstring(kind: type[msgspec.Struct]) -> str:
    lines = (kind.__doc__ or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines)


def _fields(kind: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    config = kind.__struct_config__
    if config.tag is not None:
        yield f"`{config.tag_field}`", f'`"{config.tag}"`'
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        may_miss = "" if field.required else ", may be left out"
        yield f"`{field.encode_name}`", _type_name(hints[field.name]) + may_miss


def _type_name(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type_name(args[0]) + _bounds(args[1])
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in args)
    if origin in (Union, UnionType):
        return " or ".join(_type_name(arg) for arg in args if arg is not msgspec.UnsetType)
    if origin is list:
        return f"list of {_type_name(args[0])}"
    return PLAIN.get(origin or hint) or hint.__name__


PLAIN: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    dict: "object",
    msgspec.Raw: "object",
    UUID: "id (UUID)",
    NoneType: "null",
}


def _bounds(meta: msgspec.Meta) -> str:
    if meta.max_length is not None:
        return f" of {meta.min_length} to {meta.max_length} characters"
    return f", {meta.ge} to {meta.le}"


def _table(first: str, second: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {first} | {second} |", "| --- | --- |"]
    lines += [f"| {left} | {right} |" for left, right in rows]
    return "\n".join(lines) + "\n"
