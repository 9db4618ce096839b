"""Moments in pages: an instant for the browser, and a text that is right without it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.template import Context, Template
from django.utils import timezone, translation

EVENING = datetime(2026, 11, 21, 23, 30, 4, 250_000, tzinfo=UTC)


def written(template: str, at: datetime | None = EVENING) -> str:
    return Template("{% load i18n times %}" + template).render(Context({"at": at}))


def test_a_moment_is_an_instant_and_the_sites_own_time_with_the_zones_name() -> None:
    assert written("{{ at|local_time }}") == (
        '<time datetime="2026-11-21T23:30:04Z" data-local="moment">'
        "Nov. 22, 2026, 7:30 a.m. (China Time)</time>"
    )
    with timezone.override("America/New_York"), translation.override("zh-hans"):
        assert "2026年11月21日 18:30 (北美东部时间)<" in written("{{ at|local_time }}")


def test_a_day_is_the_day_it_is_in_the_sites_zone() -> None:
    days = [written(f'{{{{ at|local_time:"{shown}" }}}}') for shown in ("date", "day", "month")]
    texts = [day[day.index(">") + 1 : -len("</time>")] for day in days]
    assert texts == ["Nov. 22, 2026", "22", "Nov"]


def test_a_moment_in_a_sentence_stays_a_time_element() -> None:
    sentence = "{% blocktranslate with at=at|local_time %}Ended {{ at }}{% endblocktranslate %}"
    assert written(sentence).startswith("Ended <time ")


def test_what_has_not_happened_has_no_time() -> None:
    assert written("{{ at|local_time }}", None) == ""
