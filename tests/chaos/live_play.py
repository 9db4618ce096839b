"""One show that is broken and judged, in a process of its own: `python -m tests.chaos.live_play`.

The settings are in its environment; the folder and the script's name are its arguments. The last
line that it prints is the figures.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import django
import uvloop

django.setup()

from tests.chaos.live_camera import filmed  # noqa: E402 - models can be imported now
from tests.chaos.live_film import draw  # noqa: E402
from tests.chaos.live_scene import FULL, SHORT, Played, Script, Stage, on_stage, play  # noqa: E402
from tests.chaos.live_truth import controls as controls_of  # noqa: E402
from tests.chaos.live_truth import judge, number_then, segments  # noqa: E402

SCRIPTS = {"full": FULL, "short": SHORT}


async def main(data: Path, script: Script) -> dict[str, Any]:
    film = await asyncio.to_thread(draw, data / "film.mp4", script.film_s, script.shape)
    async with on_stage(data) as stage:
        played = await play(stage, film, script)
        return await asyncio.to_thread(judgement, stage, played, script)


def judgement(stage: Stage, played: Played, script: Script) -> dict[str, Any]:
    """The figures of what was played, and what spoiled copies of its replay show."""
    shape = script.shape
    films = [one for camera in played.cameras if (one := filmed(camera, shape))]
    # On a slow machine the film may be over before the last act, or too soon after it: what is
    # shown for half a second only has no chapter.
    pins = [one for one in played.pins if number_then(one.wall + 1.0, films, shape.fps) is not None]
    judged = partial(judge, films=films, pins=pins, cuts=played.cuts, fps=shape.fps)
    replay = segments(played.playlist, played.playlist_url, stage.fetch, shape)
    controls = controls_of(replay, judged)
    return {
        **judged(replay),
        **what_happened(played, script),
        "frames_filmed": max((one.last + 1 for one in films), default=0),
        "camera_jitter_ms": max((one.jitter_ms for one in films), default=None),
        "controls": controls,
        "negative_control_caught": all(one["caught"] for one in controls.values()),
    }


def what_happened(played: Played, script: Script) -> dict[str, Any]:
    away = [one["took_s"] for one in played.done if one["what"] == "kill_server"]
    names = [one["what"] for one in played.done]
    return {
        "takes": played.takes,
        "recordings": played.recordings,
        "replay_ready_s": played.replay_ready_s,
        "connections_cut": names.count("cut"),
        "encoders_killed": names.count("kill_encoder"),
        "servers_killed": names.count("kill_server"),
        "acts_left_out": len(script.acts) - len(names),
        "server_away_s": max(away, default=None),
        "reconnects": played.summary.reconnects,
        "film_lost_s": played.summary.lost_s,
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(Path(sys.argv[1]), SCRIPTS[sys.argv[2]]))))
