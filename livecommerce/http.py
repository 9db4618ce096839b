"""Django's ASGI handler with few changes of threads: our views and their middleware are sync."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class SyncHandler(ASGIHandler):
    """Takes a request through all middleware and its view at once, in the request's thread.

    Django's own handler does so one by one: each middleware that could be async goes to the thread
    and back twice. Beside fourteen of them an order is little work.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)
