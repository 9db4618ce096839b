"""How many jobs fit on this machine at once, by its cores and its memory."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from media_pipeline.live.low_judge import cores

# One encoding keeps two cores busy, and what it holds of large pictures fits in this.
CORES_EACH, MEMORY_EACH = 2, 2 * 2**30
MEMORY_QUOTA = Path("/sys/fs/cgroup/memory.max")


def jobs_at_once() -> int:
    """As the operator says, or as many as fit; one at least."""
    return settings.JOBS_AT_ONCE or fitting(cores(), memory())


def fitting(free_cores: float, memory_bytes: int) -> int:
    return max(1, min(int(free_cores / CORES_EACH), memory_bytes // MEMORY_EACH))


def memory() -> int:
    """Bytes that this process and its children may have, a container's quota included."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(whole, int(MEMORY_QUOTA.read_text()))
    except (OSError, ValueError):  # none, or "max"
        return whole
