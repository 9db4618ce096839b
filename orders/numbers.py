"""Numbers that people say to each other: on the phone, and over the counter."""

from __future__ import annotations

import secrets


def new_order_number() -> str:
    """Eight digits in two groups, e.g. "4829-1357": they sound the same in every dialect."""
    digits = str(10_000_000 + secrets.randbelow(90_000_000))
    return f"{digits[:4]}-{digits[4:]}"


def new_pickup_code() -> str:
    """Six digits that the buyer shows at the pick-up point."""
    return f"{secrets.randbelow(1_000_000):06d}"
