"""Every setting of an instance, read in one place, from environment variables.

Each has a default that works on a laptop; a wrong value is refused with one line that says what
to write instead. `docs/operations.md` lists them, and a test holds it to that.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import secrets
import shutil
import warnings
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environ
from babel.numbers import list_currencies
from django.core.exceptions import ImproperlyConfigured

from livecommerce.first_run import kept

ENVIRONMENT: Mapping[str, str] = os.environ
MODES = ("demo", "up", "test")
SERVERS = ("daphne", "uvicorn")
LANGUAGES = ("en", "zh-hans")
ENCODER_SCHEMES = ("rtmp", "rtmps", "srt", "http", "https")
RENDITIONS = ("auto", "source")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# Without those that no shop takes: metals, funds, and what is there for tests.
CURRENCIES = frozenset(code for code in list_currencies("en") if not code.startswith("X"))
SQLITE = "django.db.backends.sqlite3"
DATABASES = (SQLITE, "django.db.backends.postgresql")


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(ImproperlyConfigured):
    """A setting that cannot be used, with its remedy."""


@dataclass(frozen=True, slots=True)
class Config:
    """The instance's settings, checked."""

    mode: str
    data: Path
    secret_key: str
    host: str
    port: int
    lan: bool
    https_port: int
    server: str
    database: dict[str, Any]
    redis_url: str
    hosts: list[str]
    trusted_origins: list[str]
    behind_https: bool
    trusted_proxies: list[Network]
    ffmpeg: str
    name: str
    language: str
    currency: str
    time_zone: str
    log_level: str
    metrics_token: str
    chat_lines_per_s: int
    chat_every_s: float
    encoders: list[str]
    encoders_secret: str
    encoders_read: str
    mediamtx_api: str
    self_url: str
    first_show_approval: bool
    camera_away_min: float
    longest_show_h: float
    group_commit: bool
    live_renditions: str
    s3_bucket: str
    s3_endpoint_url: str
    s3_public_url: str
    s3_region: str
    s3_access_key_id: str
    s3_secret_access_key: str = field(repr=False)
    largest_upload_gb: float
    seller_quota_gb: float
    sign_up: bool
    calling_code: str
    sms_url: str
    sms_body: str
    sms_authorization: str = field(repr=False)
    sms_timeout_s: float
    stripe_secret_key: str = field(repr=False)
    stripe_webhook_secret: str = field(repr=False)
    stripe_api_base: str
    stripe_payment_methods: list[str]
    debug: bool


def read() -> Config:
    """The settings of this process; makes the data folder. Raises `SettingsError`."""
    mode = _one_of("LIVECOMMERCE_MODE", MODES, default="up")
    data = Path(_text("LIVECOMMERCE_DATA", "var/instance")).absolute()
    first = _first_run(data)
    return Config(
        mode=mode,
        data=data,
        secret_key=_text("LIVECOMMERCE_SECRET_KEY") or _kept_secret(data),
        host=_host(),
        port=_port("PORT", default=8000),
        lan=_flag("LIVECOMMERCE_LAN"),
        https_port=_port("LIVECOMMERCE_HTTPS_PORT", default=8443),
        server=_one_of("LIVECOMMERCE_SERVER", SERVERS, default="daphne"),
        database=_database("DATABASE_URL", data),
        redis_url=_redis("REDIS_URL"),
        hosts=_list("LIVECOMMERCE_HOSTS", "localhost,127.0.0.1,[::1]"),
        trusted_origins=_origins("LIVECOMMERCE_ORIGINS"),
        behind_https=_behind_https(),
        trusted_proxies=_networks("LIVECOMMERCE_TRUSTED_PROXIES", "127.0.0.1,::1"),
        ffmpeg=_program("LIVECOMMERCE_FFMPEG"),
        name=_text("LIVECOMMERCE_NAME", first.get("name", "livecommerce")),
        language=_one_of("LIVECOMMERCE_LANGUAGE", LANGUAGES, default=first.get("language", "en")),
        currency=_currency("LIVECOMMERCE_CURRENCY", default=first.get("currency", "CNY")),
        time_zone=_time_zone(
            "LIVECOMMERCE_TIME_ZONE", default=first.get("time_zone", "Asia/Shanghai")
        ),
        log_level=_one_of("LIVECOMMERCE_LOG_LEVEL", LOG_LEVELS, default="INFO"),
        metrics_token=_text("LIVECOMMERCE_METRICS_TOKEN"),
        chat_lines_per_s=int(
            _number("LIVECOMMERCE_CHAT_LINES_PER_S", 20, highest=1000, whole=True)
        ),
        chat_every_s=_number("LIVECOMMERCE_CHAT_EVERY_S", 2.0, highest=600),
        encoders=_addresses("LIVECOMMERCE_ENCODERS", ENCODER_SCHEMES),
        encoders_secret=_text("LIVECOMMERCE_ENCODERS_SECRET"),
        encoders_read=_address(
            "LIVECOMMERCE_ENCODERS_READ", ("rtmp",), default="rtmp://127.0.0.1:1935/live"
        ),
        mediamtx_api=_address("LIVECOMMERCE_MEDIAMTX_API", ("http", "https")),
        self_url=_address("LIVECOMMERCE_SELF_URL", ("http", "https")) or _own_address(),
        first_show_approval=_flag("LIVECOMMERCE_FIRST_SHOW_APPROVAL", default="1"),
        camera_away_min=_number("LIVECOMMERCE_CAMERA_AWAY_MIN", 10.0, highest=720),
        longest_show_h=_number("LIVECOMMERCE_LONGEST_SHOW_H", 12, highest=168),
        group_commit=_flag("LIVECOMMERCE_GROUP_COMMIT", default="1"),
        live_renditions=_one_of("LIVECOMMERCE_LIVE_RENDITIONS", RENDITIONS, default="auto"),
        s3_bucket=_bucket("S3_BUCKET"),
        s3_endpoint_url=_address("S3_ENDPOINT_URL", ("http", "https")),
        s3_public_url=_address("S3_PUBLIC_URL", ("http", "https")),
        s3_region=_text("S3_REGION", "us-east-1"),
        s3_access_key_id=_text("S3_ACCESS_KEY_ID").strip(),
        s3_secret_access_key=_text("S3_SECRET_ACCESS_KEY").strip(),
        largest_upload_gb=_number("LIVECOMMERCE_LARGEST_UPLOAD_GB", 8.0, highest=100),
        seller_quota_gb=_number("LIVECOMMERCE_SELLER_QUOTA_GB", 200.0, highest=1_000_000),
        sign_up=_flag("LIVECOMMERCE_SIGN_UP", default="1"),
        calling_code=_calling_code("LIVECOMMERCE_CALLING_CODE", default="86"),
        sms_url=_address("LIVECOMMERCE_SMS_URL", ("http", "https")),
        sms_body=_sms_body("LIVECOMMERCE_SMS_BODY", default='{"to": "{phone}", "text": "{text}"}'),
        sms_authorization=_header("LIVECOMMERCE_SMS_AUTHORIZATION"),
        sms_timeout_s=_number("LIVECOMMERCE_SMS_TIMEOUT_S", 10.0, highest=60),
        stripe_secret_key=_stripe_key("STRIPE_SECRET_KEY"),
        stripe_webhook_secret=_text("STRIPE_WEBHOOK_SECRET").strip(),
        stripe_api_base=_address("STRIPE_API_BASE", ("http", "https")),
        stripe_payment_methods=_methods("STRIPE_PAYMENT_METHODS", "card,alipay,wechat_pay"),
        debug=_flag("LIVECOMMERCE_DEBUG"),
    )


def _text(name: str, default: str = "") -> str:
    return ENVIRONMENT.get(name, default)


def _list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in _text(name, default).split(",") if part.strip()]


def _one_of(name: str, allowed: Sequence[str], *, default: str) -> str:
    value = _text(name, default)
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}: use one of {', '.join(allowed)}.")
    return value


def _flag(name: str, *, default: str = "0") -> bool:
    text = _text(name, default).lower()
    if text not in {"0", "1", "true", "false", "yes", "no"}:
        raise SettingsError(f"{name} is {text!r}: use 1 or 0.")
    return text in {"1", "true", "yes"}


def _port(name: str, *, default: int) -> int:
    text = _text(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise SettingsError(f"{name} is {text!r}: use a number from 1 to 65535.")
    return int(text)


def _number(name: str, default: float, *, highest: int, whole: bool = False) -> float:
    """A number from 0 to `highest`; 0 switches off what it is for."""
    text = _text(name, str(default))
    kind = "a whole number" if whole else "a number"
    if not re.fullmatch(r"[0-9]+" if whole else r"[0-9]+(\.[0-9]+)?", text, re.ASCII) or not (
        float(text) <= highest
    ):
        raise SettingsError(f"{name} is {text!r}: use {kind} from 0 to {highest}.")
    return float(text)


def _database(name: str, data: Path) -> dict[str, Any]:
    url = _text(name)
    # Not by way of an address: it would read a plus sign in the folder's name as a space.
    found = _database_at(url) if url else {"ENGINE": SQLITE, "NAME": data / "livecommerce.sqlite3"}
    if found.get("ENGINE") not in DATABASES or found.get("NAME") in {None, "", ":memory:"}:
        # The address itself stays out of the message: it holds the password.
        raise SettingsError(
            f"{name} names no database that can be used: write "
            "postgres://USER:PASSWORD@HOST/NAME or sqlite:////absolute/path.sqlite3."
        )
    return found


def _database_at(url: str) -> dict[str, Any]:
    with warnings.catch_warnings(), contextlib.suppress(ValueError, ImproperlyConfigured):
        warnings.simplefilter("ignore")  # they would show the password too
        found: dict[str, Any] = environ.Env.db_url_config(url)
        return found
    return {}


def _redis(name: str) -> str:
    url = _text(name)
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError(f"{name} is {url!r}: use redis://HOST:6379/0, or leave it empty.")
    return url


def _addresses(name: str, schemes: Sequence[str], default: str = "") -> list[str]:
    addresses = [address.rstrip("/") for address in _list(name, default)]
    for address in addresses:
        scheme, separator, rest = address.partition("://")
        if not separator or scheme not in schemes or not rest:
            raise SettingsError(
                f"{name} has {address!r}: write an address that begins with "
                f"{' or '.join(f'{one}://' for one in schemes)}."
            )
    return addresses


def _address(name: str, schemes: Sequence[str], default: str = "") -> str:
    """One address, without a slash at its end; empty where none is set."""
    return next(iter(_addresses(name, schemes, default)), "")


def _stripe_key(name: str) -> str:
    """The key itself stays out of the message."""
    key = _text(name).strip()
    if key and not re.fullmatch(r"[sr]k_[A-Za-z0-9_]+", key, re.ASCII):
        raise SettingsError(
            f"{name} is none: use the key that begins with sk_ or rk_, or leave it empty."
        )
    return key


def _bucket(name: str) -> str:
    bucket = _text(name)
    if bucket and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket, re.ASCII):
        raise SettingsError(
            f"{name} is {bucket!r}: use 3 to 63 small letters, digits, dots and hyphens."
        )
    return bucket


def _calling_code(name: str, *, default: str) -> str:
    code = _text(name, default).removeprefix("+")
    if not re.fullmatch(r"[1-9][0-9]{0,2}", code, re.ASCII):
        raise SettingsError(f"{name} is {code!r}: use a country's calling code, as 86.")
    return code


def _sms_body(name: str, *, default: str) -> str:
    body = _text(name) or default
    if "{phone}" not in body or not ("{text}" in body or "{code}" in body):
        raise SettingsError(
            f"{name} is {body!r}: write {{phone}}, and {{text}} or {{code}}, where they belong."
        )
    return body


def _header(name: str) -> str:
    """What stands in it stays out of the message."""
    value = _text(name).strip()
    if not value.isascii() or not (value.isprintable() or not value):
        raise SettingsError(f"{name} is no header: write what your gateway says, in one line.")
    return value


def _methods(name: str, default: str) -> list[str]:
    methods = _list(name, default)
    if not methods or not all(re.fullmatch(r"[a-z][a-z0-9_]*", one, re.ASCII) for one in methods):
        raise SettingsError(f"{name} is {_text(name)!r}: use names like {default}.")
    return methods


def _host() -> str:
    """Where to listen: on this machine alone, or with `--lan` on all of its networks."""
    return _text("LIVECOMMERCE_HOST", "0.0.0.0" if _flag("LIVECOMMERCE_LAN") else "127.0.0.1")  # noqa: S104


def _behind_https() -> bool:
    behind = _flag("LIVECOMMERCE_BEHIND_HTTPS")
    if behind and _flag("LIVECOMMERCE_LAN"):
        raise SettingsError(
            "LIVECOMMERCE_LAN and LIVECOMMERCE_BEHIND_HTTPS are both 1: use LIVECOMMERCE_LAN on a "
            "local network, and LIVECOMMERCE_BEHIND_HTTPS behind a proxy."
        )
    return behind


def _networks(name: str, default: str) -> list[Network]:
    """Addresses and networks; none unless this instance is behind a proxy."""
    found: list[Network] = []
    for text in _list(name, default):
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise SettingsError(
                f"{name} has {text!r}: write addresses as 10.0.0.5 or networks as 10.0.0.0/24."
            ) from error
    return found if _flag("LIVECOMMERCE_BEHIND_HTTPS") else []


def _own_address() -> str:
    """Where this process itself answers."""
    host = _host()
    # Every network has no address of its own; this machine does.
    reached = "127.0.0.1" if host in {"0.0.0.0", "::", "localhost"} else host  # noqa: S104
    shown = f"[{reached}]" if ":" in reached else reached
    return f"http://{shown}:{_port('PORT', default=8000)}"


def _origins(name: str) -> list[str]:
    origins = _list(name)
    for origin in origins:
        if not origin.startswith(("http://", "https://")):
            raise SettingsError(f"{name} has {origin!r}: write https://{origin}.")
    return origins


def _program(name: str) -> str:
    program = _text(name)
    if program and shutil.which(program) is None:
        raise SettingsError(
            f"{name} is {program!r}, which is not a program here: name the path of ffmpeg, or "
            "leave it empty to use the one that was installed with livecommerce."
        )
    return program


def _time_zone(name: str, *, default: str) -> str:
    zone = _text(name, default)
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"{name} is {zone!r}: use a name like Asia/Shanghai.") from error
    return zone


def _currency(name: str, *, default: str) -> str:
    code = _text(name, default)
    if code not in CURRENCIES:
        raise SettingsError(f"{name} is {code!r}: use a code of ISO 4217 like CNY or EUR.")
    return code


def _first_run(data: Path) -> dict[str, str]:
    """What was set on the first-run page; environment variables come before it."""
    try:
        return kept.read(data)
    except kept.Unreadable as error:
        raise SettingsError(
            f"{data / kept.FILE} cannot be read ({error}): correct it, or take it away and set "
            "LIVECOMMERCE_NAME, LIVECOMMERCE_LANGUAGE, LIVECOMMERCE_CURRENCY and "
            "LIVECOMMERCE_TIME_ZONE instead."
        ) from error


def _kept_secret(data: Path) -> str:
    """The secret in the data folder, made at the first start and readable by its owner alone."""
    path = data / "secret-key"
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_secret(path)
        return path.read_text()
    except OSError as error:
        raise SettingsError(
            f"LIVECOMMERCE_DATA is {str(data)!r}, which cannot be written ({error.strerror}): "
            "name a folder that can."
        ) from error


def _make_secret(path: Path) -> None:
    """Of two processes that start together one wins, and neither sees half a secret."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50))
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
