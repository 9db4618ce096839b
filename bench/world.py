"""Fill an instance's empty database for a benchmark and print what the load client must know.

The tests' small world, and so many viewers who may chat.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from core.accounts.models import User  # noqa: E402
from streams.models import Show, ShowState  # noqa: E402
from tests import world  # noqa: E402


def main(viewers: int) -> None:
    here = world.build()
    Show.objects.filter(pk=here.show.pk).update(state=ShowState.LIVE)
    people = User.objects.bulk_create(
        User(username=f"viewer-{number}", display_name=f"Viewer {number}", password="!")
        for number in range(viewers)
    )
    told = {
        "show": str(here.show.public_id),
        "offer": str(here.apple_offer.public_id),
        "people": [str(person.public_id) for person in (here.zhang, *people)],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]))
