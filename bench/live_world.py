"""Shows for a benchmark, in the tests' world: `python -m bench.live_world N` prints `[{…}]`.

Each is scheduled for now, hosted by Zhang, and comes with a key for cameras. Beside the
database a film is drawn that can be sent into them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import django
from django.conf import settings

django.setup()

from core.accounts.models import User  # noqa: E402 - models can be imported now
from media_pipeline import ffmpeg  # noqa: E402
from sellers.models import Seller  # noqa: E402
from streams.services import ingest_keys  # noqa: E402
from tests import world  # noqa: E402


def draw_film(path: Path) -> Path:
    """20 s of what a phone sends by itself: 960×540 at 24 frames a second, 1.2 Mbit/s, and sound.

    The picture is made so that it takes these bits, and can be sent as it is.
    """
    line = [ffmpeg.ffmpeg_path(), "-loglevel", "error", "-y"]
    line += ["-f", "lavfi", "-i", "testsrc2=size=960x540:rate=24,noise=alls=12:allf=t"]
    line += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "20"]
    line += ["-c:v", "libx264", "-preset", "veryfast", "-g", "24", "-bf", "0", "-b:v", "1200k"]
    line += ["-maxrate", "1200k", "-bufsize", "1200k", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([*line, "-b:a", "96k", str(path)], check=True, timeout=60)
    return path


def main(count: int) -> None:
    farm, host = Seller.objects.get(name="Zhang's orchard"), User.objects.get(username="zhang")
    shows = [world.show_of(farm, host, f"Apples {number}") for number in range(count)]
    draw_film(settings.DATA_ROOT / "film.mp4")
    told = [{"id": str(one.public_id), "key": ingest_keys.issue(one)} for one in shows]
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]))
