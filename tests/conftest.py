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
from tests.scheduling import pytest_xdist_make_scheduler  # noqa: F401 - a hook
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

SLOW = ("browser", "ffmpeg", "process")

# Modules of more than twenty seconds. Each keeps several processes busy at times, and waits at
# others.
LONGEST = (
    "tests/story/test_training_story",
    "tests/streams/test_many_processes",
    "tests/story/test_browser_story",
    "tests/story/test_film_browser",
    "tests/chaos/test_room_chaos",
    "tests/chaos/test_live_chaos",
    "tests/chaos/test_orders",
    "tests/chaos/test_pipeline",
    "tests/media_pipeline/test_carriers",
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
    "tests/streams/test_live_browser",
    "tests/streams/test_ingest_kept",
)
# By when, as a share of all modules, the longest and the other slow ones have begun: what is begun
# last should be over soon.
LONGEST_BEGUN_BY, SLOW_BEGUN_BY = 0.7, 0.9


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in SLOW_FIXTURES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(SLOW_FIXTURES[name])
    if "PYTEST_XDIST_WORKER" in os.environ:
        turns = _turns(items)
        items.sort(key=lambda item: turns[_module(item)])


def _module(item: pytest.Item) -> str:
    return item.nodeid.partition(".py::")[0]


def _turns(items: list[pytest.Item]) -> dict[str, tuple[float, str]]:
    """When each module's turn is, from 0 to 1: long ones one by one between those that need little.

    Several cameras and broken rooms at once are more than a small machine shows in time.
    """
    modules = list(dict.fromkeys(map(_module, items)))
    longest = [name for name in LONGEST if name in modules]
    is_slow = {_module(item) for item in items if any(map(item.get_closest_marker, SLOW))}
    slow = [name for name in modules if name in is_slow and name not in longest]
    quick = [name for name in modules if name not in is_slow and name not in longest]
    ranks = ((longest, LONGEST_BEGUN_BY), (slow, SLOW_BEGUN_BY), (quick, 1.0))
    return {
        name: (by * place / len(names), name)
        for names, by in ranks
        for place, name in enumerate(names)
    }


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
