"""nginx with the site of `deploy/nginx.conf`, in front of web processes of the tests."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.server import ROOT, free_port

AROUND = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {site}
}}
"""


def program() -> str | None:
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def site(port: int, addresses: Sequence[str]) -> str:
    """The site as it is delivered, without its certificate, at a port, for these processes."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    text = re.sub(r"^ *ssl_.*$", "", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    # The second server's line is there as a comment, to be taken in.
    text = text.replace("# server 127.0.0.1:8001", "server 127.0.0.1:8001")
    for at, address in enumerate(addresses):
        text = text.replace(f"127.0.0.1:800{at}", address)
    return text


@contextmanager
def nginx(folder: Path, addresses: Sequence[str]) -> Iterator[str]:
    """The address (`host:port`) at which it answers for the processes."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(AROUND.format(folder=folder, site=site(port, addresses)))
    found = program()
    assert found is not None, "install nginx (Debian: apt-get install nginx-light)"
    process = subprocess.Popen([found, "-p", str(folder), "-c", str(config)])
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)
