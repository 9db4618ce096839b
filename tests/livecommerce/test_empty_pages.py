"""An instance on its first day: every page that is empty says what to do next, and leads there."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from core.accounts.models import Role
from sellers.models import Member, MemberRole, Seller
from tests.world import person

EVERYBODY = ["/", "/learn/"]
BUYER = [*EVERYBODY, "/orders/", "/me/addresses/", "/learn/certificates/", "/studio/"]
HOST = [
    *EVERYBODY,
    "/studio/",
    "/studio/shows/new/",
    "/studio/rehearsal/",
    "/studio/products/",
    "/studio/orders/",
    "/studio/sales/",
    "/studio/delivery/",
    "/studio/films/",
    "/studio/encoders/",
    "/studio/jobs/",
]
OPERATOR = [
    *HOST,
    "/operator/shows/",
    "/operator/people/",
    "/operator/jobs/",
    "/operator/money/",
    "/operator/site/",
]
VISITS = [
    *((None, path) for path in EVERYBODY),
    *(("li", path) for path in BUYER),
    *((who, path) for who in ("gao", "wang") for path in HOST),
    *(("zhao", path) for path in OPERATOR),
]
NEXT = r'<a class="button|<button|<input[^>]*type="file"|data-pick|<a href="/studio/'
# Links of the frame (tabs, search by days) lead away from a page, and not on.
FRAME = re.compile(r"<nav.*?</nav>", re.DOTALL)


@pytest.fixture
def people(db: None) -> dict[str, object]:
    """Nobody has made anything yet: Gao owns a shop, Wang hosts for it, Li buys, Zhao runs it."""
    shop = Seller.objects.create(name="Gao's fields", place="Minxian")
    found = {name: person(name, name.title()) for name in ("li", "gao", "wang")}
    Member.objects.create(seller=shop, user=found["gao"], role=MemberRole.OWNER)
    Member.objects.create(seller=shop, user=found["wang"], role=MemberRole.HOST)
    return {**found, "zhao": person("zhao", "Zhao", Role.OPERATOR)}


@pytest.mark.parametrize(("who", "path"), VISITS)
def test_it_leads_on(people: dict[str, object], who: str | None, path: str) -> None:
    client = Client()
    if who:
        client.force_login(people[who])  # type: ignore[arg-type]
    answer = client.get(path)
    assert answer.status_code == 200
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    assert re.search(NEXT, FRAME.sub("", main)), "nothing to do here"
