"""Who films goes on only for as long as they may: a phone's socket lives for hours.

The first look lets a camera in. After it a change of somebody's sign-in or part, in whatever
process it was written (`core.accounts.changes`), is found here within half a second.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol
from uuid import UUID

from django.db import DatabaseError

from core.accounts import changes
from core.accounts.access import is_signed_in
from core.accounts.proof import Proof
from core.errors import NotFound
from core.realtime.db import run_in_db
from media_pipeline.ingest.errors import IngestRefused, KeyNeeded, NoSuchShow, NotTheHost
from streams import access

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5


class Held(Protocol):
    """A camera's hold on its take, which ends when `refused` has a result."""

    refused: asyncio.Future[IngestRefused]


async def watch(show_id: UUID, proof: Proof, hold: Held) -> None:
    """Take the take away from whoever may not film any more; until cancelled."""
    known: set[int] = set()
    while not hold.refused.done():
        try:
            fresh = await run_in_db(_changes_of, proof.user_pk) - known
            why = await run_in_db(why_not, show_id, proof) if fresh else None
        except DatabaseError:
            log.exception("who films %s could not be looked up", show_id)
        else:
            known |= fresh
            if why is not None and not hold.refused.done():
                hold.refused.set_result(why)
        await asyncio.sleep(LOOK_EVERY_S)


def why_not(show_id: UUID, proof: Proof) -> IngestRefused | None:
    """Why whoever this proves may not film the show, as the database has it now; None: they may."""
    person = proof.person()
    if not is_signed_in(person):
        return KeyNeeded()
    try:
        show = access.show_by_id(show_id)
    except NotFound:
        return NoSuchShow()
    return None if access.may_host(person, show) else NotTheHost()


def _changes_of(user_pk: int) -> set[int]:
    return {change for change, pk in changes.recent().items() if pk == user_pk}
