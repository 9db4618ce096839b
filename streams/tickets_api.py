"""HTTP: a ticket for sockets, for clients that are not browsers."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema, Status

from core.accounts.access import signed_in
from core.api import session_user
from core.realtime import tickets

router = Router(tags=["realtime"], auth=session_user)


class TicketOut(Schema):
    """Send it as the first frame: `{"ticket": "…"}`."""

    ticket: str
    expires_s: int


@router.post("/realtime/tickets", response={201: TicketOut})
def issue(request: HttpRequest) -> Status[TicketOut]:
    """A ticket in your name. It opens one socket, within `expires_s` seconds."""
    ticket = tickets.issue(signed_in(request.user).public_id)
    return Status(201, TicketOut(ticket=ticket, expires_s=tickets.LIFETIME_S))
