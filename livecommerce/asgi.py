"""The one ASGI application: sockets, media files beside Django, and Django."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

from media_pipeline import serving
from media_pipeline.storage import URL_PREFIX

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livecommerce.settings")
django.setup()  # loads the models, which the sockets import

from livecommerce import web  # noqa: E402
from livecommerce.body_limit import limited  # noqa: E402
from livecommerce.http import SyncHandler  # noqa: E402
from livecommerce.lan.front import on_the_lan  # noqa: E402
from livecommerce.proxies import behind_proxies  # noqa: E402
from orders.asgi import orders_first  # noqa: E402
from streams import ingest_consumer, live_consumer, me_consumer, studio_consumer  # noqa: E402
from streams.consumers import no_room, room_application  # noqa: E402

Application = Callable[[Any, Any, Any], Awaitable[None]]
pages = orders_first(SyncHandler())


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Media files never pass through Django, and plain orders have a shorter way."""
    is_media = scope["path"].startswith(f"{URL_PREFIX}/")
    application: Application = serving.application if is_media else pages
    await application(scope, receive, send)


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Start and stop real time with a server that has a lifespan (uvicorn)."""
    await receive()
    await web.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await web.stop()
    await send({"type": "lifespan.shutdown.complete"})


sockets = URLRouter(
    [
        path("ws/shows/<uuid:show_id>/", cast(Any, room_application())),
        path("ws/studio/<uuid:show_id>/", cast(Any, studio_consumer.application)),
        path("ws/me/", cast(Any, me_consumer.application)),
        path("ws/live/<uuid:show_id>/", cast(Any, live_consumer.application)),
        path("ws/ingest/<uuid:show_id>/", cast(Any, ingest_consumer.application)),
        re_path("", cast(Any, no_room)),
    ]
)

routes = ProtocolTypeRouter({"http": limited(http), "websocket": sockets, "lifespan": lifespan})
application = behind_proxies(on_the_lan(cast(Any, routes)))
