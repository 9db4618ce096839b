"""What several parts of the HTTP API say about clips."""

from __future__ import annotations

from ninja import Schema


class CueOut(Schema):
    """`kind` is "chat" (a line by `who`) or "product" (at a `price`, in words)."""

    kind: str
    start_s: float
    end_s: float
    text: str
    who: str
    price: str
