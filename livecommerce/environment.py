"""Settings as the environment says them: each function reads one kind, and knows its remedy.

Inside `all_at_once`, a wrong value is written down and the reading goes on.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shutil
import warnings
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import environ
from babel.numbers import list_currencies
from django.core.exceptions import ImproperlyConfigured

from livecommerce import data_folder
from livecommerce.first_run import kept

P = ParamSpec("P")
R = TypeVar("R")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ENVIRONMENT: Mapping[str, str] = os.environ
ASKED: set[str] = set()
"""Every name that was looked for."""
# Without those that no shop takes: metals, funds, and what is there for tests.
CURRENCIES = frozenset(code for code in list_currencies("en") if not code.startswith("X"))
SQLITE = "django.db.backends.sqlite3"
DATABASES = (SQLITE, "django.db.backends.postgresql")

_problems: ContextVar[list[str] | None] = ContextVar("problems", default=None)


class SettingsError(ImproperlyConfigured):
    """Settings that cannot be used: one line each, with its remedy."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines

    def __str__(self) -> str:
        return "\n".join(self.lines)


@contextlib.contextmanager
def all_at_once() -> Iterator[None]:
    """Raises one `SettingsError` at the end, with every wrong value that was read inside."""
    problems: list[str] = []
    token = _problems.set(problems)
    try:
        yield
    finally:
        _problems.reset(token)
    if problems:
        raise SettingsError(*dict.fromkeys(problems))


def told(instead: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Inside `all_at_once` a refusal is written down, and `instead` is what was read."""

    def around(reader: Callable[P, R]) -> Callable[P, R]:
        @wraps(reader)
        def read(*arguments: P.args, **named: P.kwargs) -> R:
            try:
                return reader(*arguments, **named)
            except SettingsError as error:
                problems = _problems.get()
                if problems is None:
                    raise
                problems += error.lines
                found: R = instead
                return found

        return read

    return around


def text(name: str, default: str = "") -> str:
    ASKED.add(name)
    return ENVIRONMENT.get(name, default)


def words(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


@told(None)
def one_of(name: str, allowed: Sequence[str], *, default: str) -> str:
    value = text(name, default)
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}: use one of {', '.join(allowed)}.")
    return value


@told(None)
def flag(name: str, *, default: str = "0") -> bool:
    found = text(name, default).lower()
    if found not in {"0", "1", "true", "false", "yes", "no"}:
        raise SettingsError(f"{name} is {found!r}: use 1 or 0.")
    return found in {"1", "true", "yes"}


@told(1)
def port(name: str, *, default: int) -> int:
    found = text(name, str(default))
    if not found.isdecimal() or not 1 <= int(found) <= 65535:
        raise SettingsError(f"{name} is {found!r}: use a number from 1 to 65535.")
    return int(found)


@told(0.0)
def number(name: str, default: float, *, highest: int, whole: bool = False) -> float:
    """A number from 0 to `highest`; 0 switches off what it is for."""
    found = text(name, str(default))
    kind = "a whole number" if whole else "a number"
    if not re.fullmatch(r"[0-9]+" if whole else r"[0-9]+(\.[0-9]+)?", found, re.ASCII) or not (
        float(found) <= highest
    ):
        raise SettingsError(f"{name} is {found!r}: use {kind} from 0 to {highest}.")
    return float(found)


@told({})
def database(name: str, data: Path) -> dict[str, Any]:
    url = text(name)
    # Not by way of an address: it would read a plus sign in the folder's name as a space.
    found = database_at(url) if url else {"ENGINE": SQLITE, "NAME": data / "livecommerce.sqlite3"}
    if found.get("ENGINE") not in DATABASES or found.get("NAME") in {None, "", ":memory:"}:
        # The address itself stays out of the message: it holds the password.
        raise SettingsError(
            f"{name} names no database that can be used: write "
            "postgres://USER:PASSWORD@HOST/NAME or sqlite:////absolute/path.sqlite3."
        )
    return found


def database_at(url: str) -> dict[str, Any]:
    with warnings.catch_warnings(), contextlib.suppress(ValueError, ImproperlyConfigured):
        warnings.simplefilter("ignore")  # they would show the password too
        found: dict[str, Any] = environ.Env.db_url_config(url)
        return found
    return {}


@told(None)
def redis(name: str) -> str:
    url = text(name)
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError(f"{name} is {url!r}: use redis://HOST:6379/0, or leave it empty.")
    return url


@told([])
def addresses(name: str, schemes: Sequence[str], default: str = "") -> list[str]:
    addresses = [address.rstrip("/") for address in words(name, default)]
    for address in addresses:
        scheme, separator, rest = address.partition("://")
        if not separator or scheme not in schemes or not rest:
            raise SettingsError(
                f"{name} has {address!r}: write an address that begins with "
                f"{' or '.join(f'{one}://' for one in schemes)}."
            )
    return addresses


def address(name: str, schemes: Sequence[str], default: str = "") -> str:
    """One address, without a slash at its end; empty where none is set."""
    return next(iter(addresses(name, schemes, default)), "")


@told(None)
def stripe_key(name: str) -> str:
    """The key itself stays out of the message."""
    key = text(name).strip()
    if key and not re.fullmatch(r"[sr]k_[A-Za-z0-9_]+", key, re.ASCII):
        raise SettingsError(
            f"{name} is none: use the key that begins with sk_ or rk_, or leave it empty."
        )
    return key


@told(None)
def bucket(name: str) -> str:
    bucket = text(name)
    if bucket and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket, re.ASCII):
        raise SettingsError(
            f"{name} is {bucket!r}: use 3 to 63 small letters, digits, dots and hyphens."
        )
    return bucket


@told(None)
def calling_code(name: str, *, default: str) -> str:
    code = text(name, default).removeprefix("+")
    if not re.fullmatch(r"[1-9][0-9]{0,2}", code, re.ASCII):
        raise SettingsError(f"{name} is {code!r}: use a country's calling code, as 86.")
    return code


@told(None)
def sms_body(name: str, *, default: str) -> str:
    body = text(name) or default
    if "{phone}" not in body or not ("{text}" in body or "{code}" in body):
        raise SettingsError(
            f"{name} is {body!r}: write {{phone}}, and {{text}} or {{code}}, where they belong."
        )
    return body


@told(None)
def header(name: str) -> str:
    """What stands in it stays out of the message."""
    value = text(name).strip()
    if not value.isascii() or not (value.isprintable() or not value):
        raise SettingsError(f"{name} is no header: write what your gateway says, in one line.")
    return value


@told(None)
def methods(name: str, default: str) -> list[str]:
    methods = words(name, default)
    if not methods or not all(re.fullmatch(r"[a-z][a-z0-9_]*", one, re.ASCII) for one in methods):
        raise SettingsError(f"{name} is {text(name)!r}: use names like {default}.")
    return methods


@told("127.0.0.1")
def host() -> str:
    """Where to listen: on this machine alone, or with `--lan` on all of its networks."""
    usual = "0.0.0.0" if flag("LIVECOMMERCE_LAN") else "127.0.0.1"  # noqa: S104
    found = text("LIVECOMMERCE_HOST", usual)
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+(%[A-Za-z0-9]+)?", found, re.ASCII):
        raise SettingsError(
            f"LIVECOMMERCE_HOST is {found!r}: write an address of this machine, as 127.0.0.1, or "
            "0.0.0.0 for all; the port has a setting of its own, PORT."
        )
    return found


@told([])
def hosts(name: str, default: str) -> list[str]:
    """Names under which people come; `.example` stands for all names that end so."""
    found = words(name, default)
    for one in found:
        if not re.fullmatch(r"\*|\[[0-9a-f:]+\]|\.?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?", one.lower()):
            raise SettingsError(
                f"{name} has {one!r}: write names alone, as shop.example; without https://, port "
                "or path."
            )
    return found


@told(8443)
def https_port(name: str, default: int) -> int:
    found = port(name, default=default)
    if flag("LIVECOMMERCE_LAN") and found == port("PORT", default=8000):
        raise SettingsError(f"{name} and PORT are both {found}: use two ports.")
    return found


@told("")
def site_name(name: str, default: str) -> str:
    found = text(name, default).strip()
    if not found or len(found) > 60 or not found.isprintable():
        raise SettingsError(f"{name} is {found[:20]!r}…: use up to 60 letters in one line.")
    return found


@told("")
def webhook_secret(name: str) -> str:
    """The secret itself stays out of the message."""
    found = text(name).strip()
    if found and not found.startswith("whsec_"):
        raise SettingsError(f"{name} is none: use what begins with whsec_, or leave it empty.")
    return found


@told(None)
def behind_https() -> bool:
    behind = flag("LIVECOMMERCE_BEHIND_HTTPS")
    if behind and flag("LIVECOMMERCE_LAN"):
        raise SettingsError(
            "LIVECOMMERCE_LAN and LIVECOMMERCE_BEHIND_HTTPS are both 1: use LIVECOMMERCE_LAN on a "
            "local network, and LIVECOMMERCE_BEHIND_HTTPS behind a proxy."
        )
    return behind


@told([])
def networks(name: str, default: str) -> list[Network]:
    """Addresses and networks; none unless this instance is behind a proxy."""
    found: list[Network] = []
    for one in words(name, default):
        try:
            found.append(ipaddress.ip_network(one))
        except ValueError as error:
            raise SettingsError(
                f"{name} has {one!r}: write addresses as 10.0.0.5 or networks as 10.0.0.0/24."
            ) from error
    return found if flag("LIVECOMMERCE_BEHIND_HTTPS") else []


def own_address() -> str:
    """Where this process itself answers."""
    own = host()
    # Every network has no address of its own; this machine does.
    reached = "127.0.0.1" if own in {"0.0.0.0", "::", "localhost"} else own  # noqa: S104
    shown = f"[{reached}]" if ":" in reached else reached
    return f"http://{shown}:{port('PORT', default=8000)}"


@told(None)
def origins(name: str) -> list[str]:
    origins = words(name)
    for origin in origins:
        if not origin.startswith(("http://", "https://")):
            raise SettingsError(f"{name} has {origin!r}: write https://{origin}.")
        if not re.fullmatch(r"https?://[^/?#@\s]+", origin):
            raise SettingsError(f"{name} has {origin!r}: end it after the name, and its port.")
    return origins


@told(None)
def program(name: str) -> str:
    program = text(name)
    if program and shutil.which(program) is None:
        raise SettingsError(
            f"{name} is {program!r}, which is not a program here: name the path of ffmpeg, or "
            "leave it empty to use the one that was installed with livecommerce."
        )
    return program


@told("")
def folder(name: str) -> str:
    """A folder that is there, with its whole path; empty where none is named."""
    folder = text(name)
    if folder and not Path(folder).is_dir():
        raise SettingsError(f"{name} is {folder!r}, which is not a folder here: name one, or none.")
    return str(Path(folder).absolute()) if folder else ""


@told(None)
def time_zone(name: str, *, default: str) -> str:
    zone = text(name, default)
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"{name} is {zone!r}: use a name like Asia/Shanghai.") from error
    return zone


@told(None)
def currency(name: str, *, default: str) -> str:
    code = text(name, default)
    if code not in CURRENCIES:
        raise SettingsError(f"{name} is {code!r}: use a code of ISO 4217 like CNY or EUR.")
    return code


@told({})
def first_run(data: Path) -> dict[str, str]:
    """What was set on the first-run page; environment variables come before it."""
    try:
        return kept.read(data)
    except kept.Unreadable as error:
        raise SettingsError(
            f"{data / kept.FILE} cannot be read ({error}): correct it, or take it away and set "
            "LIVECOMMERCE_NAME, LIVECOMMERCE_LANGUAGE, LIVECOMMERCE_CURRENCY and "
            "LIVECOMMERCE_TIME_ZONE instead."
        ) from error


@told("")
def secret_key(name: str, data: Path) -> str:
    """The one that is set, or that of the data folder, which is made for it; asked for last.

    Made at the first start and readable by its owner alone. Where something else is wrong, nothing
    is touched.
    """
    if why := data_folder.problem(data):
        raise SettingsError(f"LIVECOMMERCE_DATA is {str(data)!r}, {why}")
    if (_problems.get() or []) or text(name):
        return text(name)
    try:
        return data_folder.kept_secret(data)
    except data_folder.Damaged as error:
        raise SettingsError(str(error)) from error
    except OSError as error:
        raise SettingsError(
            f"LIVECOMMERCE_DATA is {str(data)!r}, which cannot be written ({error.strerror}): "
            "name a folder that can."
        ) from error
