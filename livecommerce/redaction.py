"""What never gets into a log, whoever writes it: keys, invitations, card and phone numbers."""

from __future__ import annotations

import logging
import re

KEYS = re.compile(r"\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_\w+|\blc_[\w-]{30,}")
# Addresses that open something by themselves: the part before the secret is kept.
SECRETS = re.compile(
    r"(/join/|/way-back/|/first-run/|[?&](?:key|secret|pass)=)[^\s/&\"']{16,}|(/media/[su]/)[^\s/]+"
)
# 14 to 19 digits, in groups or not, that begin as cards do; times in milliseconds begin with 1.
CARDS = re.compile(r"(?<![\w.-])[2-6](?:[ -]?[0-9]){13,18}(?![\w-])")
# A Chinese mobile number, or any number with its country's code.
PHONES = re.compile(
    r"(?<![\w.+-])(?:(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"
    r"|\+[1-9](?:[ -]?[0-9]){7,17})(?![\w-])"
)


def redacted(text: str) -> str:
    """The text without them; of a phone number the last four digits are left to tell it by."""
    text = SECRETS.sub(lambda found: f"{found[1] or found[2]}[token]", KEYS.sub("[key]", text))
    text = CARDS.sub(lambda found: "[card]" if _is_card(found[0]) else found[0], text)
    return PHONES.sub(lambda found: f"***{found[0][-4:]}", text)


class RedactingFormatter(logging.Formatter):
    """Looks at the whole line as it is written: arguments and tracebacks are in it, too."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def _is_card(text: str) -> bool:
    """The check digit that every card number has (ISO/IEC 7812-1, annex B)."""
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
