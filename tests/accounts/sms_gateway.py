"""A text message gateway over HTTP, as one rents it: keeps what it was sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    """The requests that came, and how they are answered."""

    url: str = ""
    status: int = 200
    requests: list[tuple[dict[str, str], str]] = field(default_factory=list)
    answer_now: threading.Event = field(default_factory=threading.Event)


@contextmanager
def gateway() -> Iterator[Got]:
    got = Got()
    got.answer_now.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            got.requests.append((dict(self.headers), body))
            got.answer_now.wait(10)
            self.send_response(got.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Not into the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    got.url = f"http://127.0.0.1:{server.server_port}/send"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield got
    finally:
        got.answer_now.set()
        server.shutdown()
        thread.join()
        server.server_close()
