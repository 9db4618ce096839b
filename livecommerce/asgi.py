"""The one ASGI application: sockets, media files beside Django, and Django."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from media_pipeline import serving
from media_pipeline.storage import URL_PREFIX

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livecommerce.settings")
django_application = get_asgi_application()

Application = Callable[[Any, Any, Any], Awaitable[None]]


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Media files never pass through Django."""
    is_media = scope["path"].startswith(f"{URL_PREFIX}/")
    application: Application = serving.application if is_media else django_application
    await application(scope, receive, send)


application = ProtocolTypeRouter({"http": http})
