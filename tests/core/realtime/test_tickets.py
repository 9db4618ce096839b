from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from core.clock import now
from core.realtime import tickets
from core.realtime.db import with_fresh_connections
from core.realtime.models import RedeemedTicket
from core.realtime.tickets import TicketRefused, issue, redeem

LI = uuid.UUID("01940000-0000-7000-8000-000000000001")


def test_a_ticket_names_its_person_once(db: None) -> None:
    ticket = issue(LI)
    assert redeem(ticket) == LI
    with pytest.raises(TicketRefused):
        redeem(ticket)


def test_a_ticket_dies_after_a_minute(db: None) -> None:
    ticket = issue(LI)
    with (
        time_machine.travel(now() + timedelta(seconds=tickets.LIFETIME_S + 1)),
        pytest.raises(TicketRefused),
    ):
        redeem(ticket)


def test_a_ticket_works_to_the_end_of_its_minute(db: None) -> None:
    ticket = issue(LI)
    with time_machine.travel(now() + timedelta(seconds=tickets.LIFETIME_S - 1)):
        assert redeem(ticket) == LI


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "x" + t, lambda t: "", lambda t: "a:b:c"]
)
def test_a_changed_ticket_is_refused(db: None, change: object) -> None:
    with pytest.raises(TicketRefused):
        redeem(change(issue(LI)))  # type: ignore[operator]


def test_of_many_at_the_same_time_one_gets_in(transactional_db: None) -> None:
    ticket = issue(LI)

    def attempt(_number: int) -> bool:
        try:
            return with_fresh_connections(lambda: redeem(ticket) == LI)
        except TicketRefused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_used_tickets_are_forgotten_after_they_expired(db: None) -> None:
    redeem(issue(LI))
    with time_machine.travel(now() + timedelta(seconds=3 * tickets.LIFETIME_S)):
        redeem(issue(LI))
    assert RedeemedTicket.objects.count() == 1
