from __future__ import annotations

import pytest

from tests import world as world_module
from tests.realtime import runtime, site  # noqa: F401 - fixtures for every test
from tests.world import World


@pytest.fixture
def world(db: None) -> World:
    return world_module.build()
