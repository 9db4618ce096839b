"""The end of a show, and the replay that is there then, as its host and a player ask for them."""

from __future__ import annotations

import time
import uuid

import httpx

from tests.story.people import Person

REPLAY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.02


def end_and_wait(host: Person, show_id: uuid.UUID) -> float:
    """End the show; seconds until its whole replay can be fetched."""
    began = time.monotonic()
    host.do("POST", f"shows/{show_id}/end")
    while time.monotonic() < began + REPLAY_WITHIN_S:
        if "#EXT-X-ENDLIST" in replay_of(host, show_id)[1]:
            return round(time.monotonic() - began, 2)
        time.sleep(LOOK_EVERY_S)
    raise AssertionError("there is no replay")


def replay_of(person: Person, show_id: uuid.UUID) -> tuple[str, str]:
    """The address of the replay's playlist and what it says; empty while there is none."""
    found = person.get(f"/shows/{show_id}/playback/").json()
    if found["state"] != "ready":
        return "", ""
    url = str(person.base_url.join(found["replay_url"]))
    answer = person.get(url)
    return url, answer.text if answer.status_code == httpx.codes.OK else ""
