"""A socket for each connection: written to directly where its server is known, or by `send`."""

from __future__ import annotations

import logging

from core.realtime.transports import daphne, uvicorn
from core.realtime.transports.asgi import AsgiSocket
from core.realtime.transports.base import Send, Socket

__all__ = ["AsgiSocket", "Socket", "open_socket"]

log = logging.getLogger(__name__)

_told: set[str] = set()


def open_socket(send: Send) -> Socket:
    """The socket for the `send` that the ASGI server itself gave; the application accepts.

    `send` must not be wrapped: a server is recognised by it. One that is not known, or not in
    this version, is written to by `send`, which the log says once.
    """
    for recognise in (uvicorn.recognise, daphne.recognise):
        socket, problem = recognise(send)
        if socket is not None:
            return socket
        if problem:
            break
    _tell_once(problem or "an unknown server")
    return AsgiSocket(send)


def _tell_once(what: str) -> None:
    if what not in _told:
        _told.add(what)
        log.warning("sockets are sent to one by one, which is slower: this is %s", what)
