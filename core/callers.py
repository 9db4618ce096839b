"""Who calls: this machine itself, or somebody who knows a secret."""

from __future__ import annotations

import hmac
import ipaddress

from django.http import HttpRequest

# Each proxy has its own habit, and one of these is what it adds for whoever asks through it.
PROXIED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


def is_this_machine(request: HttpRequest) -> bool:
    """Whether a program on this machine asks, and not a proxy on it for a stranger."""
    is_direct = not any(name in request.headers for name in PROXIED)
    return is_direct and is_loopback(request.META.get("REMOTE_ADDR", ""))


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def network_of(request: HttpRequest) -> str:
    """Where a visitor comes from, as limits count it: an IPv4 address, or an IPv6 network (/64).

    Whoever has one address of such a network has all 2**64 of them (RFC 6177).
    """
    address = request.META.get("REMOTE_ADDR", "")
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return str(address)
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    plain = found.ipv4_mapped
    return str(plain or ipaddress.ip_network((int(found), 64), strict=False))


def is_secret(given: str, secret: str) -> bool:
    """Whether it is the secret, in a time that does not tell how much of it is right."""
    # JSON may name half a character, which has no bytes of its own.
    return hmac.compare_digest(given.encode(errors="surrogatepass"), secret.encode())
