"""Entries as JSON: what every database, every server and every browser takes, checked once."""

from __future__ import annotations

import json
import re

import msgspec

from core.realtime.log import NewEntry

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(NewEntry)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def encoded(entry: NewEntry) -> bytes:
    """The entry as JSON.

    Raises `TypeError` or `ValueError` for what is not plain JSON: it must fail its own caller, not
    everyone whose entries are stored with it.
    """
    json.dumps(entry.data, allow_nan=False)
    text = _encoder.encode(entry)
    if _NUL.search(text):
        raise ValueError("an entry may not contain NUL: PostgreSQL's JSON does not take it")
    return text


def decoded(text: bytes) -> NewEntry:
    return _decoder.decode(text)
