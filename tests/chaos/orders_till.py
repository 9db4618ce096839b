"""The bank of the chaos run: the tests' Stripe, whose news come late, twice, anyhow or never."""

from __future__ import annotations

import heapq
import itertools
import json
import random
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

from tests.stripe_server import Books, StripeServer
from tests.stripe_wire import Json, signature

LATEST_S = 1.0
TWICE, NEVER = 0.25, 0.04
AGAIN_AFTER_S = 0.2
WITHIN_S = 10.0
Due = tuple[float, int, bytes]


class Till(StripeServer):
    """Tells the product, wherever it serves at the moment, until it has answered 2xx."""

    def __init__(self, webhook_url: Callable[[], str]) -> None:
        super().__init__()
        self.told = self.refused = 0
        self._webhook_url = webhook_url
        self._due: list[Due] = []
        self._turns = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [threading.Thread(target=self.serve, daemon=True)]
        # Three at once: news of one payment overtake each other also on their way.
        self._threads += [threading.Thread(target=self._tell_all, daemon=True) for _ in range(3)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        super().stop()
        for thread in self._threads:
            thread.join()

    def forget(self) -> None:
        """A new book, and no news of the old one."""
        with self._lock, self._changed:
            self.books = Books()
            self._due.clear()
            self.told = self.refused = 0

    def write(self, path: Path) -> None:
        """The book, as it is now."""
        with self._lock:
            book = {"intents": self.books.intents, "refunds": self.books.refunds}
            path.write_text(json.dumps(book))

    def tell(self, kind: str, found: Json) -> None:
        body = json.dumps(self.event(kind, found)).encode()
        if random.random() < NEVER:
            return
        for _copy in range(1 + (random.random() < TWICE)):
            self._put(random.uniform(0, LATEST_S), body)

    @property
    def is_done(self) -> bool:
        """Whether everything was heard."""
        with self._changed:
            return not self._due

    def _put(self, after_s: float, body: bytes) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + after_s, next(self._turns), body))
            self._changed.notify()

    def _tell_all(self) -> None:
        while (body := self._next()) is not None:
            if self._post(body):
                self.told += 1
            else:
                self.refused += 1
                self._put(AGAIN_AFTER_S, body)

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None

    def _post(self, body: bytes) -> bool:
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body)}
        request = urllib.request.Request(self._webhook_url(), body, headers)
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_S) as response:
                return bool(response.status < 300)
        except (URLError, OSError):
            return False
