"""The codes of closed sockets and of errors, with what they mean."""

from __future__ import annotations

CLOSE_CODES: dict[int, str] = {
    1009: "A message of more than 64 KiB, finished or not.",
    4401: "Sign in first.",
    4403: "Not allowed here, banned, or a page of another site asked.",
    4404: "No such show.",
    4408: "Too slow to keep up: come back with your position (`retry_after`).",
    4429: "Far too many frames, pings included, or far too many bytes.",
    4503: "Not now, as when the server restarts: come back with your position (`retry_after`).",
}

ERROR_CODES: dict[str, str] = {
    "sign_in_required": "Sign in first; keep the draft.",
    "not_allowed": "You may not do this.",
    "not_found": "There is no such thing.",
    "invalid_input": "`field` cannot be used; it is a path within `data`, or of the frame.",
    "unknown_command": "There is no such command.",
    "sold_out": "Not enough left.",
    "price_changed": "The price is another one now; `details` has it.",
    "offer_not_open": "It cannot be ordered yet; `details` has `opens_at_ms` (null: on a tap).",
    "offer_closed": "The time of this offer is over.",
    "offer_sold_out": "The show has sold what it meant to; `details` has `available`.",
    "limit_reached": "One buyer may have `per_buyer` of it and has `already` (`details`).",
    "not_delivered": "The seller does not deliver to this region.",
    "below_minimum": "The seller's smallest order is `min_order_minor` (`details`).",
    "payment_not_offered": "Not paid this way here; `details` has `payment_methods`.",
    "too_many": "Too often; try again after `retry_after` seconds.",
    "muted": "You may not chat in this show; `details` has `until` (null: for good).",
    "banned": "You may not be in this show; `details` has `until` (null: for good).",
    "slow_mode": "Everybody writes slowly here; write again after `retry_after` seconds.",
    "blocked_word": "The seller does not want a word of this message here; change it.",
    "links_not_allowed": "New accounts may not send links yet.",
    "show_not_live": "The show is over.",
    "key_reused": "The key of an order was used for another one.",
    "conflict": "Not in a state in which this can be done.",
    "try_again": "The server could not do it now; try again after `retry_after` seconds.",
}
