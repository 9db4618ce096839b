"""How many are let in at once."""

from __future__ import annotations

import asyncio
import socket

import uvloop

from livecommerce.listeners import listeners


def test_people_who_come_at_once_are_not_let_in_one_per_turn_of_the_loop() -> None:
    """A turn may take as long as it takes to tell a cohort: a room that comes back would wait."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        turns = runner.run(turns_to_let_in(80))
    assert turns < 15


async def turns_to_let_in(people: int) -> int:
    """Turns of the loop until so many are in who were at the door before it opened."""
    loop = asyncio.get_running_loop()
    let_in: list[asyncio.Protocol] = []

    def person() -> asyncio.Protocol:
        let_in.append(asyncio.Protocol())
        return let_in[-1]

    doors = listeners("127.0.0.1", 0)
    waiting = [socket.create_connection(doors[0].getsockname()) for _ in range(people)]
    for door in doors:
        await loop.create_server(person, sock=door)
    turns = 0
    while len(let_in) < people:
        await asyncio.sleep(0)
        turns += 1
    for client in waiting:
        client.close()
    return turns
