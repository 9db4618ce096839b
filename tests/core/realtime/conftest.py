from __future__ import annotations

from tests.logs import logs, shared_redis, topic_log  # noqa: F401 - fixtures for this folder
