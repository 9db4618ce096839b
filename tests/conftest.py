from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation

from tests import flushing, template
from tests import world as world_module
from tests.films import film, recorder_film, sound, vp8_film  # noqa: F401 - likewise
from tests.livecommerce.command import migrate
from tests.phones import browser_on_loop, phone  # noqa: F401 - likewise
from tests.realtime import runtime, site  # noqa: F401 - fixtures for every test
from tests.world import World

Factory = pytest.TempPathFactory

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

# Modules of more than twenty seconds, in an order that keeps cameras apart.
LONGEST = (
    "tests/streams/test_many_processes",
    "tests/story/test_browser_story",
    "tests/story/test_film_browser",
    "tests/chaos/test_room_chaos",
    "tests/chaos/test_live_chaos",
    "tests/chaos/test_orders",
    "tests/streams/test_studio_browser",
    "tests/livecommerce/test_wheel",
    "tests/livecommerce/test_cli",
    "tests/livecommerce/test_lan",
    "tests/livecommerce/test_first_run",
    "tests/streams/test_ingest",
    "tests/streams/test_room_client_js",
    "tests/streams/test_studio_console_browser",
    "tests/streams/test_broadcast",
    "tests/livecommerce/test_guard",
    "tests/livecommerce/test_pages_browser",
    "tests/story/test_wire_story",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in SLOW_FIXTURES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(SLOW_FIXTURES[name])
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Long modules first, then other slow tests: what is begun last should be over soon."""
    name = item.nodeid.partition(".py::")[0]
    if name in LONGEST:
        return LONGEST.index(name)
    is_slow = any(item.get_closest_marker(mark) for mark in ("browser", "ffmpeg", "process"))
    return len(LONGEST) + (not is_slow)


@pytest.fixture(scope="session", autouse=True)
def templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Workers share them: the folder of each is in the one of their run."""
    folder = tmp_path_factory.getbasetemp()
    template.keep_in(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session")
def django_db_keepdb(
    django_db_modify_db_settings_parallel_suffix: None, templates: None, tmp_path_factory: Factory
) -> bool:
    """Each worker's database is a copy of one that `livecommerce migrate` made, once for all.

    To migrate an empty one takes six seconds of a processor.
    """
    database = settings.DATABASES["default"]
    if "PYTEST_XDIST_WORKER" not in os.environ or "sqlite3" not in database["ENGINE"]:
        return False
    data = tmp_path_factory.mktemp("database")
    migrate(data)
    (data / "livecommerce.sqlite3").rename(database["TEST"]["NAME"])
    return True


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    with flushing.keeping_what_migrations_say():
        yield


@pytest.fixture(autouse=True)
def own_language() -> None:
    """Django's test client leaves the language of its last request active, for the next test."""
    translation.deactivate()


@pytest.fixture
def world(db: None) -> World:
    return world_module.build()
