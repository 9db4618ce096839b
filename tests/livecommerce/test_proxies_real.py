"""The examples of `deploy/` under Debian's nginx and Caddy: HTTPS, and visitors who lie."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from livecommerce.lan.addresses import Names
from livecommerce.lan.certificates import ensure
from tests import nginx
from tests.livecommerce.command import ROOT, Running, command, environment, migrate
from tests.server import free_port_everywhere

pytestmark = pytest.mark.process

NAME = "shop.example"
LIES = {
    "X-Forwarded-Proto": "http",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=127.0.0.1;proto=http;host=evil.example",
}


@contextmanager
def behind_nginx(folder: Path, pair: Path, web: str) -> Iterator[int]:
    port = free_port_everywhere()
    text = (ROOT / "deploy/nginx.conf").read_text()
    text = re.sub(r"(ssl_certificate(_key)?) .*;", rf"\1 {pair};", text)
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    text = text.replace("/var/cache/nginx/livecommerce", str(folder / "cache"))
    text = text.replace("127.0.0.1:8000", web)
    with nginx.running(folder, port, nginx.HTTP.format(folder=folder, site=text)):
        yield port


@contextmanager
def behind_caddy(folder: Path, pair: Path, web: str) -> Iterator[int]:
    port = free_port_everywhere()
    text = (ROOT / "deploy/Caddyfile").read_text()
    # Docker's names for its containers, and the certificate that Caddy would fetch.
    text = text.replace("dynamic a web 8000", f"to {web}")
    text = text.replace(
        "{$LIVECOMMERCE_SITE} {", "{$LIVECOMMERCE_SITE} {\n\ttls " + f"{pair} {pair}"
    )
    # Caddy 2.7 has it, and Debian 12 has Caddy 2.6.
    text = re.sub(r"^\s*stream_close_delay .*$", "", text, flags=re.MULTILINE)
    config = folder / "Caddyfile"
    config.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text)
    env = {**os.environ, "LIVECOMMERCE_SITE": f"https://{NAME}:{port}", "HOME": str(folder)}
    arguments = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
    process = subprocess.Popen(arguments, env=env, stderr=subprocess.DEVNULL)
    try:
        nginx.wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("proxy", [behind_nginx, behind_caddy])
def test_what_visitors_say_of_themselves_is_not_passed_on(proxy, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    migrate(tmp_path)
    kept = ensure(tmp_path, Names((NAME,), ("127.0.0.1",)))
    trust = ssl.create_default_context(cafile=tmp_path / "lan/authority.pem")
    web = free_port_everywhere()
    given = {"LIVECOMMERCE_BEHIND_HTTPS": "1", "LIVECOMMERCE_HOSTS": NAME}
    with (
        Running(command("serve", "--port", str(web)), environment(tmp_path, **given)) as running,
        proxy(tmp_path, kept.server, f"127.0.0.1:{web}") as port,
    ):
        running.wait_for("web is served by", within_s=60)
        with httpx.Client(
            base_url=f"https://127.0.0.1:{port}",
            headers={"Host": NAME, **LIES},
            verify=trust,
            trust_env=False,
            timeout=30,
        ) as visitor:
            known = {"sni_hostname": NAME}
            page = visitor.get("/accounts/login/", extensions=known)
            assert page.status_code == 200
            assert "secure" in page.headers["Set-Cookie"].lower(), "it did come by HTTPS"
            assert "evil.example" not in page.text
            token = page.cookies["csrftoken"]
            form = {"csrfmiddlewaretoken": token, "login": "zhao", "password": "x"}
            for origin, status in ((f"https://{NAME}", 200), ("https://evil.example", 403)):
                sent = {"Origin": origin, "Cookie": f"csrftoken={token}"}
                answer = visitor.post("/accounts/login/", data=form, headers=sent, extensions=known)
                assert answer.status_code == status
            for path in ("/metrics", "/hooks/nginx"):
                assert visitor.get(path, extensions=known).status_code == 404
