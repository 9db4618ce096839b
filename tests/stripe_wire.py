"""How Stripe writes and signs: forms, webhook signatures, and the page on which buyers pay."""

from __future__ import annotations

import hashlib
import hmac
import html
import re
import time
from typing import Any
from urllib.parse import parse_qsl

WEBHOOK_SECRET = "whsec_ours"
Json = dict[str, Any]


def page(session: Json) -> str:
    """What a buyer sees: what they pay for, and two buttons."""
    lines = "".join(
        f"<li>{quantity} × {html.escape(title)}: {amount / 100:.2f}</li>"
        for title, amount, quantity, _currency in session["items"]
    )
    total = f"{session['amount_total'] / 100:.2f} {session['currency'].upper()}"
    return (
        "<!doctype html><html lang=en><meta name=viewport content='width=device-width'>"
        "<title>Test payment</title><style>body{font:18px sans-serif;max-width:26em;"
        "margin:2em auto;padding:0 1em}button{font:inherit;padding:.8em 1.5em;margin:.3em 0;"
        "width:100%}</style>"
        f"<h1>Test payment</h1><p>No money moves here.</p><ul>{lines}</ul>"
        f"<p><strong>{total}</strong>"
        "<form method=post><button name=do value=pay>Pay</button>"
        "<button name=do value=back>Back</button></form></html>"
    )


def decoded(typed: str) -> Json:
    """Form data with names like `line_items[0][price_data][currency]` as what it spells."""
    found: Json = {}
    for name, value in parse_qsl(typed, keep_blank_values=True):
        *path, last = re.findall(r"[^\[\]]+", name)
        inside = found
        for part in path:
            inside = inside.setdefault(part, {})
        inside[last] = value
    return found


def as_list(found: Json | None) -> list[Any]:
    return [value for _number, value in sorted((found or {}).items(), key=lambda one: int(one[0]))]


def signature(body: bytes, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    """The header of https://docs.stripe.com/webhooks#verify-manually; `at`: seconds since 1970."""
    stamp = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return f"t={stamp},v1={mac.hexdigest()}"
