from __future__ import annotations

import pytest

from tests import world as world_module
from tests.films import film, recorder_film, sound, vp8_film  # noqa: F401 - likewise
from tests.realtime import runtime, site  # noqa: F401 - fixtures for every test
from tests.world import World


@pytest.fixture
def world(db: None) -> World:
    return world_module.build()
