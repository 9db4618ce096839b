from __future__ import annotations

from tests.logs import logs, one, other, redis, shared_redis, topic_log  # noqa: F401 - fixtures
