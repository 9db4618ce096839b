"""Who calls: this machine itself, or somebody who knows a secret."""

from __future__ import annotations

import hmac
import ipaddress

from django.http import HttpRequest


def is_this_machine(request: HttpRequest) -> bool:
    """Whether a program on this machine asks, and not a proxy on it for a stranger."""
    return is_loopback(request.META.get("REMOTE_ADDR", "")) and not (
        request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded")
    )


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_secret(given: str, secret: str) -> bool:
    """Whether it is the secret, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode(), secret.encode())
