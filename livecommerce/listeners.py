"""The sockets on which a server that runs on uvloop is reached."""

from __future__ import annotations

import errno
import socket

# libuv accepts one connection per turn of the loop and listening socket, and a turn in which a
# cohort of the room is told takes milliseconds: with one such socket people who came back at once
# waited for seconds to be let in, however much time the process had to spare.
ACCEPTED_AT_ONCE = 16
NO_SUCH_ADDRESS = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


def listeners(host: str, port: int) -> list[socket.socket]:
    """Sockets on every address of the host, each so many times as are to be accepted at once.

    An address that the system does not have is left out; raises `OSError` if it is taken.
    """
    found: list[socket.socket] = []
    for family, *_, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        try:
            bound = socket.create_server(address[:2], family=family)
        except OSError as error:
            if error.errno not in NO_SUCH_ADDRESS:
                raise
            continue
        found += [bound, *(bound.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]
    return found
