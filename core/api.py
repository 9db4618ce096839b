"""What every app's HTTP API shares: problems (RFC 9457), the session's user, text limits.

Apps make a `ninja.Router`; `livecommerce.api` assembles them under `/api/v1/`.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from core.errors import AppError

PROBLEM = "application/problem+json"


def problem(
    status: int, code: str, detail: str, *, errors: list[dict[str, str]] | None = None
) -> JsonResponse:
    """A problem detail with a stable `code` and, for bad input, `errors: [{field, message}]`."""
    body: dict[str, Any] = {"status": status, "code": code, "title": detail, "detail": detail}
    if errors:
        body["errors"] = errors
    return JsonResponse(body, status=status, content_type=PROBLEM)


def problem_of(error: AppError) -> JsonResponse:
    errors = [{"field": error.field, "message": error.message}] if error.field else None
    response = problem(error.status, error.code, error.message, errors=errors)
    if error.retry_after is not None:
        response["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


def add_problem_handlers(api: NinjaAPI) -> None:
    """Make every error that leaves the API a problem detail."""

    @api.exception_handler(AppError)
    def refused(request: HttpRequest, error: AppError) -> HttpResponse:
        return problem_of(error)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        errors = [
            {"field": ".".join(str(part) for part in one["loc"][1:]), "message": one["msg"]}
            for one in error.errors
        ]
        return problem(422, "invalid_input", _("Some of this cannot be used."), errors=errors)

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        code = {401: "sign_in_required", 403: "not_allowed", 404: "not_found"}
        return problem(error.status_code, code.get(error.status_code, "refused"), str(error))
