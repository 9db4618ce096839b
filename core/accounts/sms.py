"""Sending text messages: to a gateway over HTTP, or onto the console of a demo.

A message that cannot be sent is logged without what is in it; who waits for it asks for another.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from django.conf import settings

from core.accounts.phones import masked

log = logging.getLogger(__name__)

AT_ONCE = 20
SHORTEST_S = 0.5
_PLACES = re.compile(r"\{(phone|text|code)\}")
_sending = threading.BoundedSemaphore(AT_ONCE)


class SendFailed(Exception):
    """The gateway did not take the message; says nothing of what is in it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A message. `code` is also in `body`: gateways with templates of their own want it alone."""

    phone: str
    body: str
    code: str


class Sender(Protocol):
    def send(self, text: Text) -> None:
        """Hand the message over; raises `SendFailed`."""


class Console:
    """For a demo and for developers: whoever looks at the terminal gets the message."""

    def send(self, text: Text) -> None:
        print(f"SMS to {masked(text.phone)}: {text.body}", flush=True)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A POST for each message. `template` is the body, with {phone}, {text} and {code} in it.

    One that begins with { or [ is JSON, any other is a form (`to={phone}&text={text}`).
    """

    url: str
    template: str
    authorization: str
    timeout_s: float

    def send(self, text: Text) -> None:
        import httpx  # a tenth of a second, which every process would take at its start

        headers = {"Content-Type": self._kind()}
        if self.authorization:
            headers["Authorization"] = self.authorization
        body = self.body(text).encode()
        try:
            answer = httpx.post(self.url, content=body, headers=headers, timeout=self.timeout_s)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SendFailed(type(error).__name__) from None
        if not answer.is_success:
            raise SendFailed(f"HTTP {answer.status_code}")

    def body(self, text: Text) -> str:
        filled = {"phone": text.phone, "text": text.body, "code": text.code}
        # In one go: what is filled in may look like a place to fill.
        return _PLACES.sub(lambda found: self._escaped(filled[found[1]]), self.template)

    def _is_json(self) -> bool:
        return self.template.lstrip().startswith(("{", "["))

    def _kind(self) -> str:
        return "application/json" if self._is_json() else "application/x-www-form-urlencoded"

    def _escaped(self, value: str) -> str:
        return json.dumps(value)[1:-1] if self._is_json() else quote(value, safe="")


def sender() -> Sender | None:
    """What sends here; `None` where nothing can, so that nobody is asked for a number."""
    if settings.SMS_URL:
        # Of no time at all nothing would be sent, and of no limit a thread might never end.
        timeout_s = max(settings.SMS_TIMEOUT_S, SHORTEST_S)
        return Gateway(settings.SMS_URL, settings.SMS_BODY, settings.SMS_AUTHORIZATION, timeout_s)
    return Console() if settings.SMS_CONSOLE else None


def send_soon(text: Text | None) -> None:
    """Send it beside the request, which takes as long as one that has nothing to send (`None`)."""
    if not _sending.acquire(blocking=False):
        log.error("a text message was not sent: %d others are on their way", AT_ONCE)
        return
    threading.Thread(target=_send, args=(sender(), text), name="sms", daemon=True).start()


def _send(by: Sender | None, text: Text | None) -> None:
    try:
        if by is not None and text is not None:
            by.send(text)
    except SendFailed as error:
        log.error("a text message was not sent: %s", error)
    finally:
        _sending.release()
