"""Write `docs/protocol.md` from the protocol's types."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand

from streams.protocol_docs import render


class Command(BaseCommand):
    help = "Write docs/protocol.md from the types of the room protocol."

    def handle(self, *args: object, **options: object) -> None:
        Path("docs/protocol.md").write_text(render())
