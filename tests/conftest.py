from __future__ import annotations

import os

import pytest

from tests import template
from tests import world as world_module
from tests.films import film, recorder_film, sound, vp8_film  # noqa: F401 - likewise
from tests.phones import browser_on_loop, phone  # noqa: F401 - likewise
from tests.realtime import runtime, site  # noqa: F401 - fixtures for every test
from tests.world import World

# What `make quick` leaves out, told from what a test asks for.
SLOW_FIXTURES = {
    "film": pytest.mark.ffmpeg,
    "recorder_film": pytest.mark.ffmpeg,
    "vp8_film": pytest.mark.ffmpeg,
    "sound": pytest.mark.ffmpeg,
    "races": pytest.mark.process,
    "site": pytest.mark.process,
    "web": pytest.mark.process,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in SLOW_FIXTURES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(SLOW_FIXTURES[name])


@pytest.fixture(scope="session", autouse=True)
def templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Workers share them: the folder of each is in the one of their run."""
    folder = tmp_path_factory.getbasetemp()
    template.keep_in(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture
def world(db: None) -> World:
    return world_module.build()
