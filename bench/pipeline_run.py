"""One system on one film, in a process of its own: `python -m bench.pipeline_run ours film out`.

Says in JSON what it used. Processor time is that of the process and of all programs that it has
waited for, without its start: a loaded machine makes it wait, and hardly use more.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

import django


def cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livecommerce.settings")
    django.setup()
    from bench.pipeline_peers import SYSTEMS
    from media_pipeline.sources import looked_at

    system, film, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    source = looked_at(film)  # so that every system knows the rungs; ours looks again
    before, began = cpu_s(), time.monotonic()
    SYSTEMS[system](source, out)
    print(json.dumps({"cpu_s": cpu_s() - before, "wall_s": time.monotonic() - began}))


if __name__ == "__main__":
    main()
