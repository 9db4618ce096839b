"""Wait until an address answers 200; fail when the time is up or its process has ended."""

from __future__ import annotations

import argparse
import os
import sys
import time
import urllib.error
import urllib.request


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 (our own address)
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--pid", type=int, required=True)
    given = parser.parse_args()
    started = time.monotonic()
    while not answers(given.url):
        waited = time.monotonic() - started
        if waited > given.seconds or not is_running(given.pid):
            print(f"{given.url} did not answer within {waited:.0f} s")
            return 1
        time.sleep(0.3)
    print(f"{given.url} answers after {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
