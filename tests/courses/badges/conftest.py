"""Wang has finished a course of two lessons; every test has keys of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from courses.badges import issuing, keys
from courses.badges.models import Badge
from courses.badges.terms import Shown
from courses.models import Certificate, Enrolment, Lesson
from courses.services import learning

SITE = "https://shop.example"


@pytest.fixture(autouse=True)
def key_folder(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of their own; and smaller keys, which are made sooner."""
    settings.BADGE_KEYS = tmp_path / "badge-keys"  # type: ignore[attr-defined]
    settings.PUBLIC_URL = SITE  # type: ignore[attr-defined]
    monkeypatch.setattr(keys, "BITS", 2048)
    return tmp_path / "badge-keys"


@pytest.fixture
def certificate(enrolment: Enrolment, picking: Lesson, packing: Lesson) -> Certificate:
    learning.report_watched(enrolment, picking, [(0, 20)])
    learning.report_watched(enrolment, packing, [(0, 19)])
    return Certificate.objects.get()


@pytest.fixture
def badge(certificate: Certificate) -> Badge:
    """With Wang's name and results."""
    return issuing.choose(certificate, Shown(name=True, results=True), SITE)
