"""Under which names and addresses this machine is reached on its local networks."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import re
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SIOCGIFADDR = 0x8915  # Linux, netdevice(7): the IPv4 address of a network interface
LOOPBACK = ("127.0.0.1", "::1")
# Of TEST-NET-1 (RFC 5737): nothing is sent there, the system only says by which way it would be.
SOMEWHERE = ("192.0.2.1", 9)
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Names:
    """What a certificate is for. `addresses` begin with the one to tell people."""

    dns: tuple[str, ...]
    addresses: tuple[str, ...]

    @property
    def outward(self) -> tuple[str, ...]:
        """The addresses at which other machines reach this one."""
        return tuple(one for one in self.addresses if one not in LOOPBACK)

    @property
    def best(self) -> str:
        """What to tell people: an address if there is one, for a phone may not know our name."""
        return next(iter(self.outward), self.dns[0])

    @property
    def all(self) -> frozenset[str]:
        return frozenset(self.dns) | frozenset(self.addresses)


def own_names(configured: Iterable[str] = ()) -> Names:
    """This machine's names and IPv4 addresses now, and those that the settings name."""
    host = socket.gethostname().partition(".")[0].lower()
    dns = ["localhost", host, f"{host}.local"]
    found = own_addresses()
    for name in (one.strip("[]").lower() for one in configured):
        if _is_address(name):
            found.append(name)
        else:
            dns.append(name)
    # A "*" or ".example" of the settings is a pattern, and no name that a certificate could have.
    names = sorted({name for name in dns if HOST_NAME.fullmatch(name)})
    return Names(tuple(names), tuple(dict.fromkeys([*found, *LOOPBACK])))


def own_addresses() -> list[str]:
    """IPv4, the one of the usual way out first; without loopback and self-given ones."""
    first = list(_way_out())
    others = sorted({*_of_interfaces(), *_of_name()} - {*first})
    return [one for one in [*first, *others] if _is_reached(one)]


def _is_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(text)
        return True
    return False


def _is_reached(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def _way_out() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(SOMEWHERE)
        yield str(probe.getsockname()[0])


def _of_interfaces() -> Iterator[str]:
    """Of every network interface, on Linux; elsewhere the name and the way out have to do."""
    if sys.platform != "linux":
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):  # it has none
                asked = struct.pack("256s", name[:15].encode())
                answer = fcntl.ioctl(probe, SIOCGIFADDR, asked)
                yield socket.inet_ntoa(answer[20:24])


def _of_name() -> Iterator[str]:
    with contextlib.suppress(OSError):
        yield from socket.gethostbyname_ex(socket.gethostname())[2]
