"""Phones that come at the same time, against the database that `DATABASE_URL` names.

Prints what came of it as one JSON object: of one invitation as it is and with the claim taken out,
and of one code.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from unittest import mock

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from core.accounts import codes  # noqa: E402
from core.accounts.models import Invitation, PhoneCode, User  # noqa: E402
from core.clock import now  # noqa: E402
from livecommerce.people import invitations  # noqa: E402
from livecommerce.people.invitations import InvitationVoid, Newcomer  # noqa: E402
from sellers.models import Member, MemberRole, Seller  # noqa: E402
from sellers.services.people import add_member  # noqa: E402

PHONES = 8


def race(name: str) -> dict[str, object]:
    farm = Seller.objects.create(name=name)
    zhao = User.objects.create_user(f"zhao of {name}")
    batch = invitations.invite(["Mei"], role="host", seller=farm, days=1, made_by=zhao)
    token = invitations.token_of(Invitation.objects.get(batch=batch))
    before, start = User.objects.count(), threading.Barrier(PHONES)
    outcomes: list[str] = []
    make = invitations._newcomer

    def make_together(typed: Newcomer) -> User:
        """All have seen the invitation open: what is left to decide is whose it is."""
        user = make(typed)
        start.wait()
        return user

    def scan(number: int) -> None:
        try:
            typed = Newcomer("Mei", f"mei{number}.{name}", "pear-tree-by-the-well")
            invitations.accept_as_newcomer(token, typed)
            outcomes.append("joined")
        except InvitationVoid as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    with mock.patch.object(invitations, "_newcomer", make_together):
        threads = [threading.Thread(target=scan, args=(number,)) for number in range(PHONES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {
        "outcomes": Counter(outcomes),
        "people": User.objects.count() - before,
        "members": Member.objects.filter(seller=farm).count(),
    }


def looks_before(token: str, user: User) -> Invitation:
    """The negative control: whether it is open was looked up before the transaction."""
    found = Invitation.objects.get(digest=invitations._digest(token))
    Invitation.objects.filter(pk=found.pk).update(used_at=now(), used_by=user)
    seller = invitations.seller_of(found)
    assert seller is not None
    add_member(seller, user, MemberRole(found.role))
    return found


def tries(typed: str, threads_count: int) -> Counter[str]:
    """What comes of one code that is tried by so many at the same time."""
    code = PhoneCode(phone="+8613912345678", ends_at=now() + codes.GOOD_FOR)
    code.digest = codes._digest(code, "123456")
    code.save()
    outcomes: list[str] = []
    start = threading.Barrier(threads_count)

    def redeem() -> None:
        start.wait()
        try:
            codes.redeem(code.public_id, typed)
            outcomes.append("in")
        except (codes.WrongCode, codes.CodeOver) as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=redeem) for _each in range(threads_count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(outcomes)


def main() -> None:
    call_command("migrate", verbosity=0)
    found: dict[str, object] = {"claimed": race("claimed")}
    found["guesses"], found["the code"] = tries("000000", 16), tries("123456", 8)
    with mock.patch.object(invitations, "accept", looks_before):
        found["looked at only"] = race("looked_at_only")
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
