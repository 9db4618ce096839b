"""One web process: pages, sockets and media under Daphne or uvicorn, around one runtime.

The runtime starts before the first connection is taken and stops before the last is dropped, so
that every socket is told to come back (4503) and every take is sealed.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
import uvloop
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server as DaphneServer
from daphne.server import twisted_loop
from django.conf import settings
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.interfaces import ISSLTransport

from core.realtime import runtime
from livecommerce import web
from livecommerce.asgi import application
from livecommerce.can_serve import CannotServe
from livecommerce.guard import MESSAGE_LIMIT, GuardedHttp, GuardedUvicorn, guard_daphne
from livecommerce.lan.pages import kept
from livecommerce.listeners import listeners

log = logging.getLogger(__name__)

# Below the supervisor's patience and, whatever the database does, the 10 s of a service manager.
PARTS_STOP_WITHIN_S = 2.5
GONE_WITHIN_S = 9.0
# Python's own (700, 10, 10) stopped 5,000 sockets six times, for up to 330 ms, while they came in.
COLLECT_AFTER = (5_000, 10, 100)


def serve(server: str, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; `check_ports` comes before. Raises `CannotServe`."""
    try:
        SERVERS[server](host, port)
    except runtime.AlreadyRunning as error:
        raise CannotServe(str(error)) from error


def serve_with_daphne(host: str, port: int) -> None:
    server = Daphne(host, port)
    twisted_loop.run_until_complete(web.start())
    spare_pauses()
    on_stop_signal(twisted_loop, server.stop_gently)
    server.run()


def tell_served(server: str, host: str, port: int) -> None:
    """Say so once connections are taken: whoever reads the log may connect right then."""
    log.info("web is served by %s on http://%s:%d", server, host, port)


class Brake:
    """A Twisted push producer that lets `send` wait while the transport's buffer is full."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._is_off = asyncio.Event()
        self._is_off.set()
        consumer.registerProducer(self, True)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's word, as the next two
        self._is_off.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._is_off.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._is_off.set()

    def take_away(self) -> None:
        """Nothing will be sent after this: a transport does not close while it has a producer."""
        self._consumer.unregisterProducer()
        self._is_off.set()

    async def wait(self) -> None:
        """Until the client has taken what was sent, or is gone."""
        await self._is_off.wait()


class Daphne(DaphneServer):  # type: ignore[misc]
    """Daphne as a library, ended by us: it has no lifespan in which the runtime could end.

    Its own `send` never waits, so that a slow reader would have a whole film in our memory.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            application=application,
            endpoints=[
                *build_endpoint_description_strings(host=address_of(host), port=port),
                *encrypted_endpoints(host),
            ],
            signal_handlers=False,
            websocket_max_message_size=MESSAGE_LIMIT,
            websocket_max_frame_size=MESSAGE_LIMIT,
            application_close_timeout=5,
            server_name="livecommerce",
            ready_callable=lambda: self.is_ready(host, port),
        )

    def is_ready(self, host: str, port: int) -> None:
        guard_daphne(self.ws_factory)
        tell_served("daphne", host, port)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "http":
            consumer = protocol
        else:
            consumer = protocol.transport
            consumer.unregisterProducer()  # the HTTP channel that the socket grew out of
            # Daphne does not say it of sockets.
            scope["scheme"] = "wss" if ISSLTransport.providedBy(consumer) else "ws"
        self.connections[protocol]["brake"] = Brake(consumer)
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send, and wait until the client has taken it: that holds back whoever sends."""
        details = self.connections.get(protocol)
        if details is None or "disconnected" in details:
            return
        brake: Brake = details["brake"]
        if is_last(message):
            brake.take_away()
        await super().handle_reply(protocol, message)
        await brake.wait()

    def protocol_disconnected(self, protocol: Any) -> None:
        """Nobody waits for a client that is gone."""
        super().protocol_disconnected(protocol)
        if brake := self.connections[protocol].get("brake"):
            brake.stopProducing()

    async def stop_gently(self) -> None:
        await let_everybody_go()
        self.stop()

    def kill_all_applications(self) -> Any:
        """Forget idle connections, which have no application: Daphne stumbles over them."""
        idle = [
            one for one, found in self.connections.items() if "application_instance" not in found
        ]
        for protocol in idle:
            del self.connections[protocol]
        return super().kill_all_applications()


def is_last(message: dict[str, Any]) -> bool:
    """Whether an ASGI message ends its response or socket."""
    if message["type"] == "http.response.body":
        return not message.get("more_body", False)
    return bool(message["type"] == "websocket.close")


def serve_with_uvicorn(host: str, port: int) -> None:
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        lifespan="off",  # the runtime is ours to start and stop
        http=GuardedHttp,
        ws=GuardedUvicorn,
        ws_max_size=MESSAGE_LIMIT,
        ws_per_message_deflate=False,  # frames are encoded once for all; deflate is per socket
        ws_ping_interval=None,  # rooms have a heartbeat, which costs no timer per socket
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # livecommerce.proxies knows whom to believe
        timeout_graceful_shutdown=2,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_uvicorn(Uvicorn(config)))


async def run_uvicorn(server: Uvicorn) -> None:
    await web.start()
    spare_pauses()
    await server.serve(sockets=listeners(server.config.host, server.config.port))


def encrypted_endpoints(host: str) -> list[str]:
    """Twisted's words for the HTTPS door of a local network, if this instance has one."""
    if not settings.LAN:
        return []
    quote: Callable[[str], str] = quoteStringArgument
    interface, pair = quote(address_of(host)), quote(str(kept().server))
    return [
        f"ssl:port={settings.HTTPS_PORT}:interface={interface}:privateKey={pair}:certKey={pair}"
    ]


class Uvicorn(uvicorn.Server):
    """uvicorn, whose sockets learn from the runtime that they should come back."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ask for the stop; uvicorn's own would raise the signal again once it has stopped."""
        on_stop_signal(asyncio.get_running_loop(), self.ask_to_stop)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if settings.LAN:
            await self.listen_encrypted()
        tell_served("uvicorn", self.config.host, self.config.port)

    async def listen_encrypted(self) -> None:
        """The HTTPS door of a local network: uvicorn itself has either that or plain HTTP."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(kept().server)
        loop = asyncio.get_running_loop()
        for one in listeners(self.config.host, settings.HTTPS_PORT):
            serving = await loop.create_server(self.protocol, sock=one, ssl=context)
            self.servers.append(serving)

    def protocol(self) -> asyncio.Protocol:
        """For one connection, as uvicorn's own start makes it."""
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    async def ask_to_stop(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await let_everybody_go()
        await super().shutdown(sockets)


def spare_pauses() -> None:
    """Collect garbage less often, and never look again at what was there from the start.

    A full collection looks at everything that every socket has, while all of them wait. Next to
    nothing of a socket needs it: uvicorn's leave no cycles behind. What requests leave is found
    among the young.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def let_everybody_go() -> None:
    """Seal the takes, then close the sockets: the room still hears that the camera is gone."""
    log.info("web is stopping")
    try:
        await asyncio.wait_for(web.stop_parts(), PARTS_STOP_WITHIN_S)
    except TimeoutError:
        log.error("the takes did not stop within %g s", PARTS_STOP_WITHIN_S)
    finally:
        await runtime.stop()  # which takes no longer than it may


def leave() -> None:
    """End the process although some thread of it still waits, for the database as a rule."""
    log.error("web did not end within %g s; what is not stored was not acknowledged", GONE_WITHIN_S)
    logging.shutdown()
    os._exit(1)


def on_stop_signal(loop: asyncio.AbstractEventLoop, stop: Callable[[], Any]) -> None:
    """Run `stop()` at the first SIGINT or SIGTERM; later ones change nothing."""
    stopping: list[asyncio.Task[None]] = []

    def begin() -> None:
        if not stopping:
            last_resort = threading.Timer(GONE_WITHIN_S, leave)
            last_resort.daemon = True
            last_resort.start()
            stopping.append(loop.create_task(stop()))

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, begin)


def address_of(host: str) -> str:
    """The address that a name like `localhost` stands for: Twisted listens on addresses only."""
    return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])


SERVERS: dict[str, Callable[[str, int], None]] = {
    "daphne": serve_with_daphne,
    "uvicorn": serve_with_uvicorn,
}
