"""Every page and every address of the API against the table of who gets in."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponseBase

from core.accounts import tokens
from tests.access import bodies, estate, table
from tests.access.estate import WHO, Estate
from tests.access.routes import (
    GETS_IN,
    REFUSED,
    admin_pages,
    ask,
    filled,
    operations,
    outcome,
    pages,
    session_of,
)
from tests.world import World

API = "/api/v1/"


@pytest.fixture
def all_of_it(world: World) -> Estate:
    return estate.build(world)


@pytest.fixture
def sessions(all_of_it: Estate) -> dict[str, str]:
    return {who: session_of(user) if user else "" for who, user in all_of_it.people.items()}


def asked_of_page(method: str, name: str, path: str, of: Estate, **more: Any) -> HttpResponseBase:
    sent = bodies.filled(bodies.PAGES.get(name, {}), of.ids) if method == "POST" else None
    return ask(method, filled(name, path, of), sent=sent, **more)


def asked_of_api(method: str, path: str, of: Estate, **more: Any) -> HttpResponseBase:
    sent = bodies.filled(bodies.API.get((method, path), {}), of.ids)
    return ask(method, filled(path, API + path, of), sent=sent, **more)


def row(found: dict[str, str]) -> str:
    return " ".join(found[who] for who in WHO)


def test_every_page_lets_in_whom_the_table_says(
    all_of_it: Estate, sessions: dict[str, str]
) -> None:
    found, kept = {}, []
    for name, path in pages():
        for method in ("GET", "POST"):
            got = {
                who: asked_of_page(method, name, path, all_of_it, session=sessions[who])
                for who in WHO
            }
            if all(answer.status_code == 405 for answer in got.values()):
                continue
            found[method, name] = row({who: outcome(answer) for who, answer in got.items()})
            kept += [f"{method} {name} {who}" for who in WHO if is_kept_by_others(got[who])]
    assert found == table.pages()
    assert kept == []


def is_kept_by_others(answer: HttpResponseBase) -> bool:
    """Whether a cache that many share may keep what was made for one session."""
    said = answer.get("Cache-Control", "")
    request: HttpRequest = answer.wsgi_request  # type: ignore[attr-defined]
    is_for_one = request.user.is_authenticated and "Cookie" in answer.get("Vary", "")
    return is_for_one and not {"private", "no-store"} & set(said.replace(",", "").split())


def test_every_address_of_the_api_lets_in_whom_the_table_says(
    all_of_it: Estate, sessions: dict[str, str]
) -> None:
    found = {}
    for (method, path), scope in operations().items():
        got = {
            who: outcome(asked_of_api(method, path, all_of_it, session=sessions[who]))
            for who in WHO
        }
        found[method, path] = f"{row(got)} {scope}".strip()
    assert found == table.api()


def test_a_token_of_the_scope_opens_what_its_owner_may_and_no_other_token_does(
    all_of_it: Estate,
) -> None:
    """For the host, and for one to whom nearly all of it is closed."""
    for who in ("host", "removed"):
        user = all_of_it.people[who]
        assert user is not None
        place = WHO.index(who)
        keys = {
            scope: tokens.make_token(user, name=scope, scopes=[scope])[1] for scope in tokens.SCOPES
        }
        every = tokens.make_token(user, name="every", scopes=tokens.SCOPES)[1]
        for (method, path), said in table.api().items():
            columns = said.split()
            scope = columns[len(WHO)] if len(columns) > len(WHO) else ""
            expected = columns[place] if scope or columns[0] == GETS_IN else REFUSED
            given = keys[scope] if scope else every
            headers = {"authorization": f"Bearer {given}"}
            got = outcome(asked_of_api(method, path, all_of_it, csrf=True, headers=headers))
            is_as_said = got == expected if scope or expected == GETS_IN else got != GETS_IN
            assert is_as_said, f"{who}: {method} {path} {got}"


def test_what_changes_something_wants_a_page_of_ours(
    all_of_it: Estate, sessions: dict[str, str]
) -> None:
    """Django's CSRF check stands before every address but these; an operator may do nearly all."""
    session = sessions["operator"]
    taken = {
        f"{method} {path}"
        for (method, path) in operations()
        if method != "GET"
        and asked_of_api(method, path, all_of_it, session=session, csrf=True).status_code != 403
    }
    assert taken == table.WITHOUT_CSRF
    for name, path in pages():
        answer = asked_of_page("POST", name, path, all_of_it, session=session, csrf=True)
        assert answer.status_code in {403, 405}, name


def test_the_admin_is_for_operators_alone(all_of_it: Estate, sessions: dict[str, str]) -> None:
    inside = [who for who in WHO if ask("GET", "/admin/", sessions[who]).status_code == 200]
    assert inside == ["operator"]
    for who in ("nobody", "host"):
        got = {path: ask("GET", f"/{path}", sessions[who]).status_code for path in admin_pages()}
        assert 200 not in got.values(), who
