"""Keys, card numbers and full phone numbers never get into a log."""

from __future__ import annotations

import io
import logging
import logging.config
from uuid import UUID

import pytest
from django.conf import settings

from livecommerce.redaction import redacted


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("key sk_live_51HabcDEF is used", "key [key] is used"),
        ("rk_test_ab12, whsec_abc/…", "[key], [key]/…"),
        ("Bearer lc_G55a2NSgWcpd48l9EO5evobUTaQ9FdPgVBhstMnc", "Bearer [key]"),
        (
            "Unprocessable Entity: /join/hvvRWfU_yXKL06cRbb_tPky5/",
            "Unprocessable Entity: /join/[token]/",
        ),
        (
            "Unprocessable Entity: /way-back/hvvRWfU_yXKL06cRbb_tPky5/",
            "Unprocessable Entity: /way-back/[token]/",
        ),
        (
            "Forbidden (CSRF cookie not set.): /first-run/y4xVh0mQ2b7k1TnRz8WcUe3LsAdFgHjP/",
            "Forbidden (CSRF cookie not set.): /first-run/[token]/",
        ),
        (
            "GET /lan/enter/?key=G55a2NSgWcpd48l9EO5evo HTTP/1.1",
            "GET /lan/enter/?key=[token] HTTP/1.1",
        ),
        ("POST /hooks/rtmp?secret=G55a2NSgWcpd48l9EO5evo", "POST /hooks/rtmp?secret=[token]"),
        ("/media/s/1763804700.0f3c/private/x/1.jpg", "/media/s/[token]/private/x/1.jpg"),
        ("card 4242424242424242.", "card [card]."),
        ("4000 0566 5566 5556 declined", "[card] declined"),
        ("3782-822463-10005", "[card]"),
        ("called 13800138000", "called ***8000"),
        ("phone='+86 138 0013 8000'", "phone='***8000'"),
        ("+14155550123", "***0123"),
    ],
)
def test_what_is_secret_goes(written: str, kept: str) -> None:
    assert redacted(written) == kept


@pytest.mark.parametrize(
    "harmless",
    [
        f"order {UUID('0199b9f1-1234-7000-8000-123456789012')}",
        "at 1763804640123 ms",
        "took 0.13800138000 s",
        "4242424242424241 pieces",  # not a card's check digit
        "2026-11-22 09:44:18,123 INFO core.outbox: 200 facts",
        "order 5381-6979",
        "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    ],
)
def test_what_is_not_stays(harmless: str) -> None:
    assert redacted(harmless) == harmless


def test_every_line_of_the_log_goes_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers as they are configured; arguments and tracebacks count, too."""
    written = io.StringIO()
    made = logging.config.DictConfigurator(settings.LOGGING)
    formatter = made.configure_formatter(dict(settings.LOGGING["formatters"]["line"]))
    assert {one["formatter"] for one in settings.LOGGING["handlers"].values()} == {"line"}
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    log = logging.getLogger("a.test.of.redaction")
    monkeypatch.setattr(log, "propagate", False)
    monkeypatch.setattr(log, "handlers", [handler])

    try:
        raise ValueError("sk_live_abcdef was refused for 4242424242424242")
    except ValueError:
        log.exception("%s did not pay", "13800138000")

    assert "***8000 did not pay" in written.getvalue()
    assert "[key] was refused for [card]" in written.getvalue()
    for secret in ("13800138000", "sk_live_abcdef", "4242424242424242"):
        assert secret not in written.getvalue()
