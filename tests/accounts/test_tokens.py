"""API tokens: what each opens, for every address of the API, and what it does not."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from core.accounts import tokens
from core.accounts.models import ApiToken, User
from core.clock import now
from core.errors import Conflict, InvalidInput
from livecommerce.api import api, scopes_by_path
from orders.models import Order
from tests.orders.shop import li_orders
from tests.orders.test_api import body
from tests.world import World

SCOPED = sorted(
    (method, path, scope)
    for path, methods in scopes_by_path(api).items()
    for method, scope in methods.items()
)
# What anybody may ask, and what nobody may ask with a token.
OPEN = {
    ("post", "/api/v1/orders/quote"),
    ("get", "/api/v1/checkout"),
    ("get", "/api/v1/shows/{show_id}/replay"),
    ("get", "/api/v1/shows/{show_id}/chapters.vtt"),
    ("get", "/api/v1/shows/{show_id}/captions/{track_id}.{kind}"),
}
SESSION_ONLY = {("post", "/api/v1/realtime/tickets")}


def token(user: User, *scopes: str, **more: Any) -> str:
    return tokens.make_token(user, name="shop system", scopes=scopes, **more)[1]


def ask(method: str, path: str, key: str, sent: Any = None, **headers: str) -> Any:
    """With Django's CSRF checks on, as of a program that has no page."""
    client = Client(enforce_csrf_checks=True)
    address = re.sub(r"{\w+_id}", lambda found: "1" if "word" in found[0] else str(uuid4()), path)
    kwargs: dict[str, Any] = {} if method == "get" else {"content_type": "application/json"}
    data = None if method == "get" else json.dumps(sent or {})
    if key:
        headers["authorization"] = f"Bearer {key}"
    return client.generic(method.upper(), address, data or "", headers=headers, **kwargs)


def code(answer: HttpResponse) -> tuple[int, str]:
    found: Any = json.loads(answer.content)
    return answer.status_code, found.get("code", "") if isinstance(found, dict) else ""


# Every address


def test_every_address_has_a_scope_or_a_reason_for_none() -> None:
    """One that nobody has thought of is for the session alone."""
    paths = api.get_openapi_schema()["paths"]
    every = {
        (method, path): told.get("security", [])
        for path, methods in paths.items()
        for method, told in methods.items()
    }
    assert {address for address, doors in every.items() if not doors} == OPEN
    assert {address for address, doors in every.items() if {"Token": []} in doors} == {
        (method, path) for method, path, _scope in SCOPED
    }
    assert all(scope.startswith("read:") == (method == "get") for method, _path, scope in SCOPED)


def test_the_page_of_the_api_tells_how(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert "Authorization: Bearer" in schema["info"]["description"]
    assert all(f"`{scope}`" in schema["info"]["description"] for scope in tokens.SCOPES)
    assert schema["components"]["securitySchemes"]["Token"] == {"type": "http", "scheme": "bearer"}
    assert schema["paths"]["/api/v1/orders"]["post"]["x-scope"] == "write:orders"


@pytest.mark.parametrize(("method", "path", "scope"), SCOPED)
def test_only_a_token_of_its_scope_gets_past_the_door(
    world: World, method: str, path: str, scope: str
) -> None:
    others = token(world.zhang, *(tokens.SCOPES.keys() - {scope}))
    fitting = token(world.zhang, scope)

    assert code(ask(method, path, "")) in {(401, "sign_in_required"), (403, "not_allowed")}
    assert code(ask(method, path, "lc_guessed")) == (401, "token_refused")
    assert code(ask(method, path, others)) == (403, "scope_missing")
    status, said = code(ask(method, path, fitting))
    assert status in {200, 404, 422}, said


@pytest.mark.parametrize(("method", "path"), sorted(SESSION_ONLY))
def test_some_things_no_token_may_do(world: World, method: str, path: str) -> None:
    every = token(world.zhang, *tokens.SCOPES)
    assert ask(method, path, every).status_code in {401, 403}


def test_pages_know_no_tokens(client: Client, world: World) -> None:
    every = token(world.zhao, *tokens.SCOPES)
    for page in ("/me/", "/me/data/", "/operator/people/", "/studio/orders/", "/admin/"):
        answer = client.get(page, headers={"authorization": f"Bearer {every}"})
        assert answer.status_code == 302


# No more than its owner


def test_a_program_orders_reads_and_moves_in_its_owners_name(world: World) -> None:
    buyer, shop = token(world.li, "write:orders", "read:orders"), token(world.zhang, "write:orders")
    placed = ask("post", "/api/v1/orders", buyer, body(world), **{"idempotency-key": "once"})
    assert placed.status_code == 201, placed.content
    order = Order.objects.get()
    assert order.buyer == world.li

    moved = ask("post", f"/api/v1/orders/{order.public_id}/moves", shop, {"to": "packed"})
    assert moved.json()["state"] == "packed"
    assert ask("get", f"/api/v1/orders/{order.public_id}", buyer).json()["state"] == "packed"


def test_what_its_owner_may_not_it_may_not_either(world: World) -> None:
    order = li_orders(world)
    stranger = token(world.gao, *tokens.SCOPES)
    answers = [
        ask("get", f"/api/v1/orders/{order.public_id}", stranger),
        ask("post", f"/api/v1/orders/{order.public_id}/moves", stranger, {"to": "cancelled"}),
        ask("post", f"/api/v1/shows/{world.show.public_id}/end", stranger),
        ask("get", f"/api/v1/shows/{world.show.public_id}/studio", stranger),
    ]
    assert {answer.status_code for answer in answers} <= {403, 404}
    order.refresh_from_db()
    world.show.refresh_from_db()
    assert (order.state, world.show.state) == ("placed", "scheduled")


def test_a_member_who_is_removed_takes_the_shop_out_of_the_token(world: World) -> None:
    key = token(world.zhang, "read:orders")
    order = li_orders(world)
    address = f"/api/v1/orders/{order.public_id}"
    assert ask("get", address, key).status_code == 200
    world.zhang.memberships.all().delete()
    assert ask("get", address, key).status_code == 404


def test_a_wrong_token_is_refused_whatever_cookies_come_with_it(world: World) -> None:
    client = Client()
    client.force_login(world.li)
    answer = client.get("/api/v1/orders", headers={"authorization": "Bearer lc_guessed"})
    assert code(answer) == (401, "token_refused")
    assert answer["WWW-Authenticate"] == "Bearer"


# Its life


def test_it_ends_when_it_is_revoked_over_or_its_owner_is_gone(world: World) -> None:
    def status(key: str) -> int:
        return int(ask("get", "/api/v1/orders", key).status_code)

    keys = [token(world.li, "read:orders") for _each in range(2)]
    over = token(world.li, "read:orders", ends_at=now() - timedelta(seconds=1))
    assert [status(key) for key in keys] == [200, 200]
    assert status(over) == 401
    one = ApiToken.objects.get(digest=tokens._digest(keys[0]))
    assert tokens.revoke_token(world.li, one.public_id)
    assert [status(key) for key in keys] == [401, 200]
    User.objects.filter(pk=world.li.pk).update(is_active=False)
    assert [status(key) for key in keys] == [401, 401]


def test_only_a_digest_is_kept_and_the_last_use(world: World) -> None:
    key = token(world.li, "read:orders")
    kept = ApiToken.objects.values().get()
    assert not any(key in str(value) or key[3:] in str(value) for value in kept.values())
    assert kept["used_at"] is None
    ask("get", "/api/v1/orders", key)
    used = ApiToken.objects.get().used_at
    ask("get", "/api/v1/orders", key)
    assert used is not None
    assert ApiToken.objects.get().used_at == used, "written once a minute at most"


@pytest.mark.parametrize("key", ["", "x" * 1_000_000, "\udcff", "lc_é", "a b c"])
def test_nonsense_is_refused(world: World, key: str) -> None:
    with pytest.raises(tokens.TokenRefused):
        tokens.user_of(key, "read:orders")


# The page


def test_it_is_shown_once(client: Client, world: World) -> None:
    client.force_login(world.li)
    form = {"name": "My till", "scopes": ["read:orders"], "days": "30"}
    shown = client.post("/me/tokens/", form).content.decode()
    found = re.search(r"lc_[\w-]{40}", shown)
    assert found
    again = client.get("/me/tokens/").content.decode()
    assert found[0] not in again
    assert "My till" in again
    assert ask("get", "/api/v1/orders", found[0]).status_code == 200
    one = ApiToken.objects.get()
    client.post(f"/me/tokens/{one.public_id}/revoke/")
    assert ask("get", "/api/v1/orders", found[0]).status_code == 401


def test_nobody_revokes_anothers(client: Client, world: World) -> None:
    key = token(world.li, "read:orders")
    client.force_login(world.gao)
    one = ApiToken.objects.get()
    assert client.post(f"/me/tokens/{one.public_id}/revoke/").status_code == 404
    assert ask("get", "/api/v1/orders", key).status_code == 200


@pytest.mark.parametrize("changes", [{"name": "\u202e"}, {"scopes": []}, {"scopes": ["admin"]}])
def test_what_cannot_be_made_is_said(client: Client, world: World, changes: Any) -> None:
    client.force_login(world.li)
    form = {"name": "My till", "scopes": ["read:orders"], "days": "30"} | changes
    assert client.post("/me/tokens/", form).status_code == 422
    assert not ApiToken.objects.exists()


def test_nobody_has_more_than_twenty(world: World) -> None:
    for _each in range(tokens.MOST):
        token(world.li, "read:orders")
    with pytest.raises(Conflict):
        token(world.li, "read:orders")
    with pytest.raises(InvalidInput):
        token(world.gao)
