"""HTTPS on a local network: what the authority vouches for, and who is given what."""

from __future__ import annotations

import plistlib
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from livecommerce.lan import certificates, door, front
from livecommerce.lan.addresses import Names, own_names
from tests.livecommerce.command import Running, command, environment, livecommerce, migrate
from tests.server import free_port_everywhere

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FARM = Names(("farm", "farm.local", "localhost"), ("192.168.1.5", "127.0.0.1"))
SHOW = "01900000-0000-7000-8000-000000000000"
FILM = "/media/public/clips/orchard/clip.mp4"


def served(data: Path) -> bytes:
    return (data / "lan/server.pem").read_bytes()


def test_what_is_made_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first = certificates.ensure(tmp_path, FARM, NOW)
    before = served(tmp_path)
    assert certificates.ensure(tmp_path, FARM, NOW + timedelta(days=300)) == first
    assert served(tmp_path) == before
    for name in ("authority.pem", "server.pem"):
        assert stat.S_IMODE((tmp_path / "lan" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "lan").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("names", "later"),
    [
        (Names(FARM.dns, ("192.168.1.77", "127.0.0.1")), timedelta()),
        (FARM, timedelta(days=370)),
    ],
    ids=["another address", "near its end"],
)
def test_a_new_certificate_is_by_the_authority_that_phones_trust_already(
    names: Names, later: timedelta, tmp_path: Path
) -> None:
    first = certificates.ensure(tmp_path, FARM, NOW)
    before = served(tmp_path)
    second = certificates.ensure(tmp_path, names, NOW + later)
    assert second.fingerprint == first.fingerprint
    assert served(tmp_path) != before


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, FARM, NOW)
    (tmp_path / "lan/server.pem").write_bytes(served(tmp_path)[:300])
    certificates.ensure(tmp_path, FARM, NOW)
    assert served(tmp_path).count(b"-----END") == 2


def test_a_new_name_needs_a_new_authority(tmp_path: Path) -> None:
    first = certificates.ensure(tmp_path, FARM, NOW)
    named = Names((*FARM.dns, "shop.test"), FARM.addresses)
    assert certificates.ensure(tmp_path, named, NOW).fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("wanted", "fits"), [("farm.local", True), ("10.9.8.7", True), ("bank.example", False)]
)
def test_the_authority_vouches_for_nothing_but_this_machine(
    wanted: str, fits: bool, tmp_path: Path
) -> None:
    """Also if its key is stolen: who trusts it refuses what it says of others."""
    kept = certificates.ensure(tmp_path, FARM, NOW)
    key = certificates._read(tmp_path / "lan/authority.pem")
    assert key is not None
    is_name = wanted[0].isalpha()
    names = Names((wanted,), ()) if is_name else Names((), (wanted,))
    stolen = tmp_path / "stolen.pem"
    certificates._write(stolen, certificates._make_certificate(key, names, datetime.now(UTC)))
    assert handshake(stolen, kept.authority, wanted) is fits


def handshake(pair: Path, trusted: x509.Certificate, name: str) -> bool:
    """Whether a client that trusts this authority takes the server for `name`, in memory."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    asks = ssl.create_default_context(cadata=certificates.der(trusted))
    client = asks.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLCertVerificationError:
                return False
            except ssl.SSLWantReadError:
                continue
    return client.version() is not None


def test_patterns_of_the_settings_are_no_names() -> None:
    names = own_names(["*", ".example", "shop.test", "[::1]", "10.0.0.9"])
    assert {"shop.test", "localhost"} <= set(names.dns)
    assert not {"*", ".example", "::1"} & set(names.dns)
    assert "10.0.0.9" in names.outward


@pytest.mark.parametrize("left", ["", "ab"])
def test_a_door_whose_key_was_cut_short_gets_a_new_one(left: str, tmp_path: Path) -> None:
    (tmp_path / "lan").mkdir()
    (tmp_path / "lan/door").write_text(left)
    key = door.secret(tmp_path)
    assert len(key) >= 16
    assert door.secret(tmp_path) == key
    assert not door.Door(key).opens_with(left)
    with pytest.raises(ValueError, match="open to everybody"):
        door.Door("")


# Strangers come from an address of the network, by plain HTTP.


@pytest_asyncio.fixture
async def stranger(settings: Any, tmp_path: Path) -> httpx.AsyncClient:
    settings.LAN, settings.HTTPS_PORT, settings.DATA_ROOT = True, 8443, tmp_path
    settings.ALLOWED_HOSTS = ["localhost", "farm.local", "192.168.1.5"]
    transport = httpx.ASGITransport(front.on_the_lan(product), client=("192.168.1.20", 5))
    return httpx.AsyncClient(transport=transport, base_url="http://192.168.1.5:8000")


async def product(scope: Any, receive: Any, send: Any) -> None:
    assert scope["path"].startswith("/static/"), "a stranger got further than the page's looks"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"style"})


async def test_without_https_strangers_get_the_page_and_the_authority(
    stranger: httpx.AsyncClient, tmp_path: Path
) -> None:
    page = await stranger.get("/", headers={"Accept-Language": "en"})
    assert "https://192.168.1.5:8443" in page.text
    assert "connect-src https://192.168.1.5:8443;" in page.headers["Content-Security-Policy"]
    authority = x509.load_der_x509_certificate((await stranger.get("/lan/authority.crt")).content)
    assert certificates.pem(authority) == (await stranger.get("/lan/authority.pem")).content
    profile = plistlib.loads((await stranger.get("/lan/authority.mobileconfig")).content)
    (payload,) = profile["PayloadContent"]
    assert payload["PayloadContent"] == certificates.der(authority)
    assert b"PRIVATE KEY" not in page.content
    assert (await stranger.get("/static/a.css")).text == "style"
    other = await stranger.get("/?language=zh-hans", headers={"Accept-Language": "en"})
    assert '<html lang="zh-hans">' in other.text
    assert 'href="/?language=en"' in other.text


@pytest.mark.parametrize(
    ("host", "leads_to"),
    [
        ("192.168.1.5:8000", "https://192.168.1.5:8443"),
        ("farm.local", "https://farm.local:8443"),
        ("evil.example", None),
        ("evil.example@farm.local", None),
    ],
)
async def test_everything_else_leads_to_https_and_to_ourselves(
    host: str, leads_to: str | None, stranger: httpx.AsyncClient
) -> None:
    answer = await stranger.get("/shows/1/?at=5", headers={"Host": host})
    assert answer.status_code == 302
    to = answer.headers["Location"]
    assert "evil" not in to
    assert to.endswith(":8443/shows/1/?at=5")
    assert leads_to is None or to == f"{leads_to}/shows/1/?at=5"


async def test_a_typed_invitation_gets_the_page_that_leads_on_to_it(
    stranger: httpx.AsyncClient,
) -> None:
    page = await stranger.get('/join/a"b/', headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert 'href="https://192.168.1.5:8443/join/a%22b/"' in page.text
    assert 'href="/join/a%22b/?language=zh-hans"' in page.text


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/join/abc/", "/join/abc/"),
        ("", "/"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\r\nSet-Cookie: a=b", "/%0D%0ASet-Cookie:%20a=b"),
    ],
)
def test_who_has_the_code_goes_on_to_a_page_of_ours(asked: str, leads_to: str) -> None:
    entrance = door.Door("the-key")
    query = urlencode({"key": "the-key", "next": asked}).encode()
    assert front.enter(entrance, {"query_string": query})["Location"] == leads_to


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/media/public/x", "/lan/enter/"])
async def test_nothing_is_taken_without_https(path: str, stranger: httpx.AsyncClient) -> None:
    assert (await stranger.post(path, data={"password": "x"})).status_code == 405


async def test_a_tunnel_on_this_machine_is_not_this_machine(settings: Any, tmp_path: Path) -> None:
    settings.LAN, settings.DEMO, settings.DATA_ROOT = True, True, tmp_path
    front_door = front.on_the_lan(product)
    transport = httpx.ASGITransport(front_door, client=("127.0.0.1", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        forwarded = {"X-Forwarded-For": "203.0.113.7"}
        assert (await client.get("/shows/", headers=forwarded)).status_code == 302
        with pytest.raises(AssertionError, match="got further"):
            await client.get("/shows/")


# The web process itself, with its certificate trusted.


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo on the local network, as a phone that trusts its authority reaches it."""

    data: Path
    port: int
    plain_port: int
    trust: ssl.SSLContext

    @contextmanager
    def client(self, *, knows: str = "") -> Iterator[httpx.Client]:
        """A browser, which has come in with this secret, if it knows one."""
        own = f"https://localhost:{self.port}"
        with httpx.Client(base_url=own, verify=self.trust, trust_env=False) as client:
            if knows:
                client.get("/lan/enter/", params={"key": knows})
            yield client

    def socket(self, cookies: str = "", path: str = f"shows/{SHOW}") -> ClientConnection:
        headers = {"Cookie": cookies} if cookies else None
        address = f"wss://localhost:{self.port}/ws/{path}/"
        return connect(
            address, ssl=self.trust, additional_headers=headers, proxy=None, ping_interval=None
        )

    @property
    def secret(self) -> str:
        return (self.data / "lan/door").read_text()


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def demo(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    data = tmp_path_factory.mktemp("demo")
    migrate(data)
    film = data / FILM.lstrip("/")
    film.parent.mkdir(parents=True)
    film.write_bytes(bytes(3_000_000))
    plain, port = free_port_everywhere(), free_port_everywhere()
    given = {"LIVECOMMERCE_MODE": "demo", "LIVECOMMERCE_LAN": "1"}
    env = environment(data, **given, LIVECOMMERCE_HTTPS_PORT=str(port), PORT=str(plain))
    with Running(command("serve", "--server", request.param), env) as running:
        running.wait_for("web is served by")
        trust = ssl.create_default_context(cafile=data / "lan/authority.pem")
        yield Demo(data, port, plain, trust)


process = pytest.mark.process


@process
def test_who_does_not_trust_the_authority_gets_no_connection(demo: Demo) -> None:
    with pytest.raises(httpx.ConnectError, match="unable to get local issuer"):
        httpx.get(f"https://localhost:{demo.port}/", trust_env=False)


@process
@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/metrics", FILM, "/static/livecommerce/base.css"]
)
def test_a_demo_is_closed_to_who_did_not_scan_the_code(path: str, demo: Demo) -> None:
    with demo.client() as nobody, demo.client(knows="x" * 22) as guesser:
        for client in (nobody, guesser):
            answer = client.get(path)
            assert answer.status_code == 403
            assert demo.secret not in answer.text
        assert nobody.post("/demo/sign-in/zhao/").status_code == 403
        assert nobody.get("/", headers={"X-Forwarded-Proto": "http"}).status_code == 403


@process
@pytest.mark.parametrize("path", [f"shows/{SHOW}", f"ingest/{SHOW}", f"live/{SHOW}", "me"])
def test_so_are_its_sockets(path: str, demo: Demo) -> None:
    for cookies in ("", f"{door.COOKIE}={'0' * 64}", f"{door.COOKIE}={demo.secret}"):
        with pytest.raises(InvalidStatus) as refusal:
            demo.socket(cookies, path)
        assert refusal.value.response.status_code == 403


@process
def test_the_code_opens_pages_media_sockets_and_the_people(demo: Demo) -> None:
    with demo.client(knows=demo.secret) as guest:
        page = guest.get("/", headers={"Accept-Language": "en"})
        assert page.status_code == 200
        assert "/demo/sign-in/" in page.text, "guests may be anybody, too"
        assert len(guest.get(FILM).content) == 3_000_000
        assert guest.get("/lan/").status_code == 200
        cookies = "; ".join(f"{one.name}={one.value}" for one in guest.cookies.jar)
        assert all(one.secure for one in guest.cookies.jar)
        demo.socket(cookies).close()


@process
def test_a_flood_over_tls_is_answered_with_its_reason(demo: Demo) -> None:
    """A TLS connection has no half that could be closed alone."""
    with demo.client(knows=demo.secret) as guest:
        cookies = "; ".join(f"{one.name}={one.value}" for one in guest.cookies.jar)
    with demo.socket(cookies) as rude:
        with suppress(ConnectionClosed):
            for _ in range(2000):
                rude.ping()
            while rude.recv(timeout=10):
                pass
        assert rude.close_code == 4429


@process
def test_this_machine_needs_no_code(demo: Demo) -> None:
    own = f"http://localhost:{demo.plain_port}"
    assert httpx.get(f"{own}/readyz").status_code == 200
    shown = httpx.get(f"{own}/lan/")
    assert demo.secret in shown.text
    assert "data:image/svg+xml" in shown.text


@process
def test_a_taken_https_port_is_refused_by_its_name(demo: Demo, tmp_path: Path) -> None:
    given = {"LIVECOMMERCE_HTTPS_PORT": str(demo.port), "PORT": str(free_port_everywhere())}
    done = livecommerce("up", "--lan", data=tmp_path, **given)
    assert done.returncode == 78
    assert f"LIVECOMMERCE_HTTPS_PORT={demo.port + 1}" in done.stderr
