"""Keys of media files, and signatures of addresses that expire.

A key is `{public|private}/<kind>/<id>/...`. Its first part decides who may read it: public keys
have a plain address, private ones only a signed one. A signature covers the object's folder (the
first three parts), so that relative addresses inside a playlist inherit it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from django.utils.crypto import constant_time_compare, salted_hmac

from core.clock import now

KEY = re.compile(r"(public|private)(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
MAX_KEY = 200
URL_PREFIX = "/media"
CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
# Addresses of one stretch of time are equal, so that a browser's cache can hold what they name.
EXPIRY_STEP_S = 900


class BadKey(ValueError):
    """A key that no file can have; never the name of a file outside the storage."""


class NoSuchFile(LookupError):
    """Nothing is stored under this key."""


class StorageDown(Exception):
    """The place for files does not answer, or not as it should; later it may.

    `status` is what it said in HTTP's terms, if it said anything.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where files go on an S3 server. `public_url` is what browsers can reach of it, if they can.

    Without keys, boto3 looks for them where AWS puts them (a role, a file).
    """

    name: str
    endpoint_url: str
    public_url: str
    region: str
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a storage says of one file: `modified` is when its bytes came to be there."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload that has arrived."""

    number: int
    size: int
    etag: str


def checked(key: str) -> str:
    """The key itself if it is well formed; raises `BadKey`. No part starts with a dot."""
    if len(key) > MAX_KEY or not KEY.fullmatch(key):
        raise BadKey(key)
    return key


def folder_of(key: str) -> str:
    """The object's folder, which a signature covers: the first three parts of its keys."""
    return "/".join(checked(key).split("/")[:3])


def visibility(is_public: bool) -> str:
    """The first part of the keys of an object."""
    return "public" if is_public else "private"


def sign(folder: str, expires_at: int) -> str:
    """The signature of a folder until `expires_at` (seconds since 1970)."""
    mac = salted_hmac("media_pipeline.storage", f"{folder}:{expires_at}", algorithm="sha256")
    return mac.hexdigest()[:40]


def verify(token: str, key: str) -> bool:
    """Whether `token` ("<expiry>.<signature>", as in an address) opens `key` now."""
    expiry, _, signature = token.partition(".")
    if not re.fullmatch(r"[0-9]{1,12}", expiry) or int(expiry) < now().timestamp():
        return False
    return constant_time_compare(signature, sign(folder_of(key), int(expiry)))


def address(key: str, *, expires_s: float = 6 * 3600) -> str:
    """The path from which the web server gives `key`, good for at least `expires_s` seconds."""
    if checked(key).startswith("public/"):
        return f"{URL_PREFIX}/{key}"
    steps = int((now().timestamp() + expires_s) // EXPIRY_STEP_S) + 1
    expires_at = steps * EXPIRY_STEP_S
    return f"{URL_PREFIX}/s/{expires_at}.{sign(folder_of(key), expires_at)}/{key}"


def content_type(key: str) -> str:
    """What a key's ending says that it holds."""
    return CONTENT_TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")
