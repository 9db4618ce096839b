"""The HTTP API under `/api/v1/`, assembled from the apps' routers."""

from __future__ import annotations

from ninja import NinjaAPI

from core.api import add_problem_handlers
from courses.api import router as courses_router
from media_pipeline.api import router as media_router
from orders.api import router as orders_router
from orders.checkout_api import router as checkout_router
from orders.payments_api import router as payments_router
from streams.api import router as streams_router
from streams.highlights.api import router as highlights_router
from streams.replay_api import router as replay_router
from streams.tickets_api import router as tickets_router

api = NinjaAPI(title="livecommerce", version="1", urls_namespace="api", docs_url="/docs")
add_problem_handlers(api)
api.add_router("", orders_router)
api.add_router("", checkout_router)
api.add_router("", payments_router)
api.add_router("", courses_router)
api.add_router("", streams_router)
api.add_router("", replay_router)
api.add_router("", highlights_router)
api.add_router("", tickets_router)
api.add_router("", media_router)
