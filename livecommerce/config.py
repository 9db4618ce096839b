"""Every setting of an instance, read in one place, from environment variables.

Each has a default that works on a laptop; a wrong value is refused with one line that says what
to write instead. `docs/operations.md` lists them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


class SettingsError(ImproperlyConfigured):
    """A setting that cannot be used, with its remedy."""


@dataclass(frozen=True, slots=True)
class Config:
    """The instance's settings, checked."""

    mode: str
    data: Path
    secret_key: str
    database_url: str
    redis_url: str
    hosts: list[str]
    trusted_origins: list[str]
    ffmpeg: str
    language: str
    time_zone: str
    debug: bool
    behind_https: bool


MODES = ("demo", "up", "test")


def read() -> Config:
    """The settings of this process; raises `SettingsError`."""
    mode = env.str("LIVECOMMERCE_MODE", default="up")
    if mode not in MODES:
        raise SettingsError(f"LIVECOMMERCE_MODE is {mode!r}: use one of {', '.join(MODES)}.")
    data = Path(env.str("LIVECOMMERCE_DATA", default="var/instance")).absolute()
    return Config(
        mode=mode,
        data=data,
        secret_key=env.str("LIVECOMMERCE_SECRET_KEY", default="") or _kept_secret(data),
        database_url=env.str("DATABASE_URL", default=f"sqlite:///{data / 'livecommerce.sqlite3'}"),
        redis_url=env.str("REDIS_URL", default=""),
        hosts=env.list("LIVECOMMERCE_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]),
        trusted_origins=_origins(env.list("LIVECOMMERCE_ORIGINS", default=[])),
        ffmpeg=env.str("LIVECOMMERCE_FFMPEG", default=""),
        language=env.str("LIVECOMMERCE_LANGUAGE", default="en"),
        time_zone=env.str("LIVECOMMERCE_TIME_ZONE", default="Asia/Shanghai"),
        debug=_flag("LIVECOMMERCE_DEBUG"),
        behind_https=_flag("LIVECOMMERCE_BEHIND_HTTPS"),
    )


def _flag(name: str) -> bool:
    text = env.str(name, default="0")
    if text.lower() not in {"0", "1", "true", "false", "yes", "no"}:
        raise SettingsError(f"{name} is {text!r}: use 1 or 0.")
    return text.lower() in {"1", "true", "yes"}


def _origins(origins: list[str]) -> list[str]:
    for origin in origins:
        if not origin.startswith(("http://", "https://")):
            raise SettingsError(f"LIVECOMMERCE_ORIGINS has {origin!r}: write https://{origin}.")
    return origins


def _kept_secret(data: Path) -> str:
    """The secret in the data folder, made at the first start and readable by its owner alone."""
    path = data / "secret-key"
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(50))
        return path.read_text()
    except OSError as error:
        raise SettingsError(
            f"LIVECOMMERCE_DATA is {str(data)!r}, which cannot be written ({error.strerror}): "
            "name a folder that can."
        ) from error
