"""Pages, and what scripts ask for, are compressed on their way: a quarter of the bytes.

Django's own way, which adds noise of up to a hundred bytes to the length of every answer, so that
it does not tell what is in it (https://breachattack.com). Tokens of forms change with every answer.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TEXT = ("text/html", "text/javascript", "text/vtt", "application/json")
# Below this it saves no packet.
WORTH_IT_BYTES = 1000


class CompressionMiddleware(GZipMiddleware):
    """For text that is there as a whole; streams, files and pictures are left alone."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.get("Content-Type", "").partition(";")[0]
        content = getattr(response, "content", b"")
        if kind not in TEXT or len(content) < WORTH_IT_BYTES:
            return response
        return super().process_response(request, response)
