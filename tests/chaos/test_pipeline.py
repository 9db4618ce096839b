"""Jobs that survive, for CI: a thirtieth of `make chaos-pipeline`, and the broken build."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chaos.pipeline import BROKEN, MUST_BE_0, SHORT, caught, in_own_process

pytestmark = [pytest.mark.process, pytest.mark.ffmpeg]


def test_nothing_is_lost_doubled_or_half_and_a_broken_build_is_caught() -> None:
    with ThreadPoolExecutor(2) as pool:
        found, control = pool.map(in_own_process, (SHORT, BROKEN))
    # How long it takes is `make chaos-pipeline`'s matter: here other tests use the same cores.
    assert [name for name in MUST_BE_0 if found.get(name) != 0] == [], found
    assert found["cancels"] > 0
    assert found["breaks"]["worker"] > 0
    assert caught(control), control
