"""What a proxy says of a visitor is believed from the proxies of the settings alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from livecommerce.proxies import as_seen, behind_proxies
from tests.livecommerce.command import Running, command, environment, migrate
from tests.server import free_port

TRUSTED = [ip_network("10.0.0.0/24"), ip_network("::1")]


def scope(*headers: tuple[str, str], kind: str = "http") -> dict[str, Any]:
    given = [(name.lower().encode(), value.encode()) for name, value in headers]
    scheme = {"http": "http", "websocket": "ws"}[kind]
    return {"type": kind, "scheme": scheme, "client": ("10.0.0.1", 5), "headers": given}


@pytest.mark.parametrize(
    ("chain", "visitor"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("8.8.8.8, 203.0.113.7", "203.0.113.7"),  # the visitor wrote the first one
        ("8.8.8.8, 203.0.113.7, 10.0.0.2", "203.0.113.7"),  # by way of two proxies of ours
        ("203.0.113.7, ::1", "203.0.113.7"),
        ("127.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("unknown", "10.0.0.1"),
        ("<script>", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_visitor_is_who_the_nearest_known_proxy_saw(chain: str, visitor: str) -> None:
    assert as_seen(scope(("X-Forwarded-For", chain)), TRUSTED)["client"][0] == visitor


def test_a_second_header_counts_as_the_end_of_the_first() -> None:
    both = [("X-Forwarded-For", "8.8.8.8"), ("X-Forwarded-For", "203.0.113.7")]
    assert as_seen(scope(*both), TRUSTED)["client"][0] == "203.0.113.7"


@pytest.mark.parametrize(
    ("said", "kind", "scheme"),
    [
        ("https", "http", "https"),
        ("https", "websocket", "wss"),
        ("https, http", "http", "http"),  # a visitor may have sent the first
        ("javascript", "http", "http"),
    ],
)
def test_the_scheme_is_one_of_two(said: str, kind: str, scheme: str) -> None:
    assert as_seen(scope(("X-Forwarded-Proto", said), kind=kind), TRUSTED)["scheme"] == scheme


async def test_nobody_else_is_believed(settings: Any) -> None:
    settings.TRUSTED_PROXIES = TRUSTED
    seen: list[tuple[str, str]] = []

    async def product(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["client"][0], scope["scheme"]))

    said = [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "https")]
    application = behind_proxies(product)
    for peer in ("10.0.0.1", "10.0.1.1", "::ffff:10.0.0.1", "not an address"):
        await application({**scope(*said), "client": (peer, 5)}, None, None)
    believed = ("127.0.0.1", "https")
    assert seen == [believed, ("10.0.1.1", "http"), believed, ("not an address", "http")]


@contextmanager
def served(data: Path, server: str, **settings: str) -> Iterator[str]:
    port = free_port()
    env = environment(data, LIVECOMMERCE_HOSTS="shop.example,localhost", **settings)
    with Running(command("serve", "--server", server, "--port", str(port)), env) as web:
        web.wait_for("web is served by")
        yield f"127.0.0.1:{port}"


def visitor(address: str) -> httpx.Client:
    headers = {"Host": "shop.example"}
    return httpx.Client(base_url=f"http://{address}", headers=headers, timeout=30)


@pytest.mark.process
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_hostile_headers_change_nothing(server: str, tmp_path: Path) -> None:
    """Nothing was configured: this is a visitor who says to be a proxy on the same machine."""
    migrate(tmp_path)
    lies = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=127.0.0.1;host=evil.example;proto=https",
    }
    with served(tmp_path, server) as address:
        client = visitor(address)
        page = client.get("/accounts/login/", headers=lies)
        assert page.status_code == 200
        assert "evil.example" not in page.text
        assert "secure" not in page.headers["Set-Cookie"].lower(), "it did not come by HTTPS"
        assert client.get("/metrics", headers=lies).status_code == 404
        for host in ("evil.example", "shop.example@evil.example", "shop.example.evil.example", ""):
            assert client.get("/", headers={**lies, "Host": host}).status_code == 400
        token = client.cookies["csrftoken"]
        form = {"csrfmiddlewaretoken": token, "login": "zhao", "password": "x"}
        for origin in ("https://evil.example", "null", "https://shop.example"):
            sent = {**lies, "Origin": origin}
            assert client.post("/accounts/login/", data=form, headers=sent).status_code == 403


@pytest.mark.process
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_configured_proxy_is_believed(server: str, tmp_path: Path) -> None:
    migrate(tmp_path)
    given = {"LIVECOMMERCE_BEHIND_HTTPS": "1", "LIVECOMMERCE_ORIGINS": "https://shop.example"}
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    with served(tmp_path, server, **given) as address:
        client = visitor(address)
        page = client.get("/accounts/login/", headers=proxied)
        assert "secure" in page.headers["Set-Cookie"].lower()
        token = page.cookies["csrftoken"]
        for origin, status in (("https://shop.example", 200), ("http://shop.example", 403)):
            answer = client.post(
                "/accounts/login/",
                data={"csrfmiddlewaretoken": token, "login": "zhao", "password": "x"},
                headers={**proxied, "Origin": origin, "Cookie": f"csrftoken={token}"},
            )
            assert answer.status_code == status
