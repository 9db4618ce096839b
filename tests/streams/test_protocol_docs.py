from __future__ import annotations

from pathlib import Path

from streams import protocol_docs
from streams.commands import ACTIONS
from streams.protocol import COMMANDS, EVENTS


def test_the_page_is_what_the_types_say() -> None:
    page = Path(__file__).parents[2] / "docs" / "protocol.md"
    assert page.read_text() == protocol_docs.render(), "run: python manage.py protocol_docs"


def test_every_command_and_event_is_on_the_page() -> None:
    page = protocol_docs.render()
    assert [name for name in (*COMMANDS, *EVENTS) if f"### `{name}`" not in page] == []


def test_every_command_has_an_action() -> None:
    assert set(ACTIONS) == set(COMMANDS.values())
