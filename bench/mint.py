"""Print a ticket for each public id (a JSON list on standard input) of an instance's people."""

from __future__ import annotations

import json
import sys
import uuid

import django

django.setup()

from core.realtime import tickets  # noqa: E402

if __name__ == "__main__":
    print(json.dumps([tickets.issue(uuid.UUID(one)) for one in json.load(sys.stdin)]))
