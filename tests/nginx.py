"""nginx with the files of `deploy/`: the site before web processes of the tests, and RTMP."""

from __future__ import annotations

import getpass
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.server import ROOT, free_port

PATHS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
MODULES = ("/usr/lib/nginx/modules", "/usr/share/nginx/modules", "/usr/lib64/nginx/modules")
STARTED_WITHIN_S = 10
# Started by root it would serve as somebody who may not write where the tests are.
AROUND = """
user {user}; daemon off; worker_processes 1;
pid {folder}/nginx.pid; error_log {folder}/error.log info;
events {{ worker_connections 512; }}
"""
HTTP = """
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {site}
}}
"""


def program() -> str | None:
    return shutil.which("nginx", path=PATHS)


def site(folder: Path, port: int, addresses: Sequence[str]) -> str:
    """The site as it is delivered, without its certificate, at a port, for these processes."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    text = re.sub(r"^ *ssl_.*$", "", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    text = text.replace("/var/cache/nginx/livecommerce", str(folder / "cache"))
    # The second server's line is there as a comment, to be taken in.
    text = text.replace("# server 127.0.0.1:8001", "server 127.0.0.1:8001")
    for at, address in enumerate(addresses):
        text = text.replace(f"127.0.0.1:800{at}", address)
    return text


@contextmanager
def nginx(folder: Path, addresses: Sequence[str]) -> Iterator[str]:
    """The address (`host:port`) at which it answers for the processes."""
    port = free_port()
    with running(folder, port, HTTP.format(folder=folder, site=site(folder, port, addresses))):
        yield f"127.0.0.1:{port}"


@contextmanager
def rtmp(folder: Path, web: str) -> Iterator[str]:
    """The address (`rtmp://…`) at which encoders publish, for the web process at `host:port`."""
    port = free_port()
    text = (ROOT / "deploy/nginx-rtmp.conf").read_text()
    text = text.replace("listen 1935;", f"listen 127.0.0.1:{port};")
    text = text.replace("127.0.0.1:8000", web)
    with running(folder, port, text, first=f"load_module {rtmp_module()};"):
        yield f"rtmp://127.0.0.1:{port}/live"


def rtmp_module() -> Path:
    found = [Path(folder, "ngx_rtmp_module.so") for folder in MODULES]
    there = next((path for path in found if path.exists()), None)
    assert there is not None, "install it (Debian: apt-get install libnginx-mod-rtmp)"
    return there


@contextmanager
def running(folder: Path, port: int, text: str, *, first: str = "") -> Iterator[None]:
    """nginx with this configuration, from when it takes connections at the port."""
    config = folder / "nginx.conf"
    config.write_text(first + AROUND.format(folder=folder, user=getpass.getuser()) + text)
    found = program()
    assert found is not None, "install nginx (Debian: apt-get install nginx-light)"
    process = subprocess.Popen([found, "-p", str(folder), "-c", str(config)])
    try:
        wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + STARTED_WITHIN_S
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < give_up_at, "nginx does not listen"
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx did not start; its error.log says why")
