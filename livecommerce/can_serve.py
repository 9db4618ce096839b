"""Whether a web process can serve here, asked before anything has started.

Apart from `livecommerce.serve`: whoever only asks, such as the supervisor, needs no web server.
"""

from __future__ import annotations

import socket
from pathlib import Path

from django.conf import settings

from core.realtime import runtime
from livecommerce.lan.certificates import Unusable
from livecommerce.lan.pages import kept


class CannotServe(Exception):
    """Another process is in the way; the message says which, and what to do."""


def check_ports(host: str, port: int) -> None:
    """Raise `CannotServe` when something is in the way on one of the ports, or of HTTPS."""
    check_port(host, port)
    if settings.LAN:
        check_port(host, settings.HTTPS_PORT, "LIVECOMMERCE_HTTPS_PORT")
        try:
            kept()
        except Unusable as error:
            raise CannotServe(str(error)) from error


def check_port(host: str, port: int, setting: str = "PORT") -> None:
    """Raise `CannotServe` when the address cannot be listened on, before anything has started."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CannotServe(
            f"Cannot listen on {host} port {port} ({error.strerror}). Stop what uses it, or take "
            f"another: {setting}={port + 1 if port < 65535 else 8000}."
        ) from None


def check_alone(data: Path) -> None:
    """Raise `CannotServe` when a web process serves this data folder that cannot share it."""
    try:
        runtime.hold(data / "web.lock", alone=not settings.REDIS_URL).close()
    except runtime.AlreadyRunning as error:
        raise CannotServe(str(error)) from error
