"""One connection to one Redis server, which is never silently replaced by another.

redis-py reconnects by itself. Here a lost connection is an error for whoever was waiting, and the
next one first asks which server it has reached and whose data that server holds: its **reign**.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from core.realtime.log import LogUnavailable
from core.realtime.redis_scripts import REIGN, REIGN_KEY, SCRIPTS

Command = Sequence[str | bytes | int]

CONNECTED_WITHIN_S = 1.5
ANSWERED_WITHIN_S = 2.0

# What such a server says of one command holds for all: the next connection may reach another, or
# teach this one the scripts again.
OF_THE_SERVER = (ClusterError, NoScriptError, ReadOnlyError)
# Inside a script an error is words only, and before Redis 7 they do not begin with its kind.
OF_A_KEY = ("WRONGTYPE", "equal or smaller than the target stream top item")


class Refused(LogUnavailable):
    """Redis has answered, and does not do this: it has no memory, or a key is not what it was."""

    def __init__(self, problem: str, *, is_of_key: bool = False) -> None:
        super().__init__(f"Redis refuses: {problem}")
        self.is_of_key = is_of_key
        """Whether the topic's keys are at fault: asking again does not help, another epoch does."""

    @classmethod
    def by(cls, error: ResponseError) -> Refused:
        text = str(error)
        is_of_key = not isinstance(error, OutOfMemoryError) and any(one in text for one in OF_A_KEY)
        return cls(text, is_of_key=is_of_key)


class Link:
    """A connection, its server's reign, and commands that travel together.

    `reign` changes whenever the data set is found on a server of another `run_id`: after a restart,
    behind a promoted replica, or when the data set is empty.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._busy = asyncio.Lock()
        self.reign = ""
        self.client_id = 0
        self._run_id = ""

    @property
    def is_up(self) -> bool:
        return bool(self._connection.is_connected)

    async def call(self, *commands: Command) -> list[Any]:
        """The answers, in order; raises the first `Refused`, or what `ask` raises."""
        answers = await self.ask(*commands)
        for answer in answers:
            if isinstance(answer, Refused):
                raise answer
        return answers

    async def ask(self, *commands: Command) -> list[Any]:
        """The answers, in order, a `Refused` in the place of each command that is not done.

        Raises `LogUnavailable`, after which this link is of no use.
        """
        async with self._busy:
            if not self.is_up:
                raise LogUnavailable("the connection to Redis is lost")
            try:
                async with asyncio.timeout(ANSWERED_WITHIN_S):
                    return await self._exchange(commands)
            except (RedisError, OSError, TimeoutError) as error:
                await self.close()
                raise LogUnavailable(f"Redis: {error or type(error).__name__}") from error
            except BaseException:
                # Cancelled between question and answer: the next would read this one's answer.
                await self.close()
                raise

    async def close(self) -> None:
        await self._connection.disconnect(nowait=True)

    async def read_reign(self) -> str:
        """Ask again whose data this is: somebody may have emptied the server meanwhile."""
        [reign] = await self.call(
            ("EVALSHA", REIGN.sha, 1, REIGN_KEY, self._run_id, uuid.uuid4().hex)
        )
        self.reign = reign.decode()
        return self.reign

    async def introduce(self) -> None:
        """Learn who the server is, and teach it the scripts."""
        info, client_id, *_ = await self.call(
            ("INFO", "server"),
            ("CLIENT", "ID"),
            *(("SCRIPT", "LOAD", script.text) for script in SCRIPTS),
        )
        self._run_id = _field(info, b"run_id")
        self.client_id = client_id
        await self.read_reign()

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        packed = self._connection.pack_commands(commands)
        await self._connection.send_packed_command(packed, check_health=False)
        return [await self._answer() for _ in commands]

    async def _answer(self) -> Any:
        try:
            return await self._connection.read_response()
        except OF_THE_SERVER:
            raise
        except ResponseError as error:
            return Refused.by(error)


class Links:
    """Makes links to the server at `url` (`redis://`, `rediss://` or `unix://`)."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            # `Link.call` has the deadline: one timer for many answers.
            socket_timeout=None,
            socket_connect_timeout=CONNECTED_WITHIN_S,
            socket_keepalive=True,
            client_name="livecommerce-log",
        )

    async def open(self) -> Link:
        """A new link to whatever server is there now; raises `LogUnavailable`."""
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        link = Link(connection)
        try:
            async with asyncio.timeout(CONNECTED_WITHIN_S):
                await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError) as error:
            await link.close()
            raise LogUnavailable(f"Redis: {error or type(error).__name__}") from error
        await link.introduce()
        return link


class KeptLink:
    """A link that is opened again when it is needed and lost."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._link: Link | None = None
        self._opening = asyncio.Lock()

    async def up(self) -> Link:
        """A link that was not lost when last used; raises `LogUnavailable`."""
        async with self._opening:
            if self._link is None or not self._link.is_up:
                self._link = await self._links.open()
            return self._link

    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()


def _field(info: bytes, name: bytes) -> str:
    for line in info.splitlines():
        if line.startswith(name + b":"):
            return line.partition(b":")[2].decode().strip()
    raise LogUnavailable(f"the Redis server does not tell its {name.decode()}")
