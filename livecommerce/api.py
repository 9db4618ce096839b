"""The HTTP API under `/api/v1/`, assembled from the apps' routers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.utils.translation import override
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from core.accounts.tokens import SCOPES
from core.api import Token, add_problem_handlers
from courses.api import router as courses_router
from courses.offline.api import router as offline_router
from courses.quizzes.api import router as quizzes_router
from courses.reviews.api import router as reviews_router
from media_pipeline.api import router as media_router
from media_pipeline.uploads_api import router as uploads_router
from orders.api import router as orders_router
from orders.checkout_api import router as checkout_router
from orders.payments_api import router as payments_router
from streams.api import router as streams_router
from streams.captions_api import router as captions_router
from streams.clips.api import router as clips_router
from streams.highlights.api import router as highlights_router
from streams.replay_api import router as replay_router
from streams.tickets_api import router as tickets_router

ABOUT = """
Pages of this site call it with their session and Django's CSRF token. Other programs send a token,
which people make under `/me/tokens/`, and need neither:

    curl -H "Authorization: Bearer lc_…" https://shop.example/api/v1/orders

A token does what its owner may do, and of that only what it was made for. Each address names the
scope that it asks for; where none is named, no token helps. Without a good token the answer is 401
(`token_refused`), without the scope 403 (`scope_missing`). Errors are problem details (RFC 9457).

| scope | what it allows |
| --- | --- |
"""


class Api(NinjaAPI):
    def get_openapi_schema(self, **asked: Any) -> OpenAPISchema:
        """ninja's, with the scope of each address."""
        schema = super().get_openapi_schema(**asked)
        for path, methods in scopes_by_path(self).items():
            for method, scope in methods.items():
                operation = schema["paths"][path][method]
                said = f"Scope: `{scope}`"
                operation["description"] = "\n\n".join(
                    part for part in (operation.get("description"), said) if part
                )
                operation["x-scope"] = scope
        return schema


def scopes_by_path(api: NinjaAPI) -> dict[str, dict[str, str]]:
    """Which scope a token needs, by address as the schema writes it, and by method."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                scope = _scope(operation.auth_callbacks)
                if scope and operation.include_in_schema:
                    address = _as_in_schema(f"/api/v1/{prefix}/{path}")
                    found[address] |= {method.lower(): scope for method in operation.methods}
    return found


def _scope(auth: Sequence[object]) -> str:
    return next((one.scope for one in auth if isinstance(one, Token)), "")


def _as_in_schema(path: str) -> str:
    return re.sub(r"{[^}:]+:", "{", re.sub("/+", "/", path))


def _scope_rows() -> str:
    """In English, as the rest of the API's page."""
    with override("en"):
        return "\n".join(f"| `{scope}` | {label} |" for scope, label in SCOPES.items())


api = Api(
    title="livecommerce",
    version="1",
    description=ABOUT.lstrip() + _scope_rows(),
    urls_namespace="api",
    docs_url="/docs",
)
add_problem_handlers(api)
api.add_router("", orders_router)
api.add_router("", checkout_router)
api.add_router("", payments_router)
api.add_router("", courses_router)
api.add_router("", offline_router)
api.add_router("", quizzes_router)
api.add_router("", reviews_router)
api.add_router("", streams_router)
api.add_router("", clips_router)
api.add_router("", replay_router)
api.add_router("", captions_router)
api.add_router("", highlights_router)
api.add_router("", tickets_router)
api.add_router("", media_router)
api.add_router("", uploads_router)
