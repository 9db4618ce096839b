"""People without a browser: the same pages, API and sockets, spoken to by hand."""

from __future__ import annotations

import re
from typing import Any

import httpx

from streams.client import RoomClient
from tests.world import PASSWORD


class Person(httpx.Client):
    """Somebody who is signed in, as a browser would be: a session cookie and a CSRF token."""

    def __init__(self, url: str, username: str) -> None:
        super().__init__(base_url=url, headers={"Origin": url}, timeout=20)
        form = self.get("/accounts/login/")
        self._follow(form)
        answer = self.post(
            "/accounts/login/",
            data={
                "login": username,
                "password": PASSWORD,
                "csrfmiddlewaretoken": self.cookies["csrftoken"],
            },
        )
        assert answer.status_code == httpx.codes.FOUND, answer.text
        self._follow(answer)

    def _follow(self, answer: httpx.Response) -> None:
        self.headers["X-CSRFToken"] = self.cookies["csrftoken"]

    def do(self, method: str, path: str, **body: object) -> Any:
        """Call the API; the answer's JSON."""
        answer = self.request(method, f"/api/v1/{path}", json=body or None)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def room(self, show_id: str) -> RoomClient:
        """This person in a room, as a browser comes: with its cookie, from a page of ours."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        server = str(self.base_url).rstrip("/")
        return RoomClient(server.replace("http", "ws", 1), show_id, cookie=cookie, origin=server)


def links(page: str, pattern: str) -> list[str]:
    """The addresses in a page that match."""
    return re.findall(rf'href="({pattern})"', page)
