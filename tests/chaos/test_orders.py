"""The fight for a hundred boxes, for CI: a fortieth of what `make chaos-orders` plays, with both
databases, and five broken builds that the judge must not let through.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import server
from tests.chaos.orders import (
    BREAKING,
    DATABASES,
    KILLS_SHORT,
    MUST_BE_0,
    PLAYS,
    SHORT,
    SHORT_WITHIN_S,
    Json,
    in_own_process,
)

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def played() -> Json:
    """What the judge found, by play; all at once, since each of them mostly waits."""

    def play(name: str) -> Json:
        prepare = None if name == "postgresql" else server.prepare
        return in_own_process(name, SHORT, SHORT_WITHIN_S, prepare=prepare)

    with ThreadPoolExecutor(len(PLAYS)) as pool:
        return dict(zip(PLAYS, pool.map(play, PLAYS), strict=True))


@pytest.mark.parametrize("database", DATABASES)
def test_nothing_is_oversold_lost_or_charged_twice(database: str, played: Json) -> None:
    found = played[database]
    assert "error" not in found, found["error"]
    assert found["came_to_rest"], found
    assert {figure: found[figure] for figure in MUST_BE_0} == dict.fromkeys(MUST_BE_0, 0), found
    # That it was a fight, and not nothing that went well.
    assert found["database"] == database
    assert found["kills"] >= KILLS_SHORT // len(DATABASES), found["kills_at"]
    assert min(found["acknowledged"], found["charges"], found["refunds"]) > 0, found


@pytest.mark.parametrize("broken", BREAKING)
def test_the_judge_sees_what_is_broken(broken: str, played: Json) -> None:
    found = played["broken"]
    assert "error" not in found, found["error"]
    assert found[broken]["caught"], found[broken]
