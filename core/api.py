"""What every app's HTTP API shares: problems (RFC 9457), who asks, text limits.

Apps make a `ninja.Router`; `livecommerce.api` assembles them under `/api/v1/`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.security import HttpBearer, SessionAuth

from core.accounts import tokens
from core.accounts.access import signed_in
from core.accounts.models import User
from core.errors import AppError, InvalidInput

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
LONGEST_KEY = 64
# By pydantic's names for what people do; what only a program can do wrong is told in its English.
FAULTS = {
    "missing": gettext_lazy("Please fill this in."),
    "string_type": gettext_lazy("Please write this as text."),
    "string_too_short": gettext_lazy("Please write a little more here."),
    "string_too_long": gettext_lazy("This is too long."),
    "int_parsing": gettext_lazy("Please write a whole number."),
    "int_type": gettext_lazy("Please write a whole number."),
    "int_from_float": gettext_lazy("Please write a whole number."),
    "float_parsing": gettext_lazy("Please write a number."),
    "float_type": gettext_lazy("Please write a number."),
}


# Of the errors that have no other name.
CODES = {401: "sign_in_required", 403: "not_allowed", 404: "not_found", 413: "too_big"}


class SignedIn(SessionAuth):
    """The session's user; writing needs the CSRF token too. `request.auth` is the `User`."""

    def authenticate(self, request: HttpRequest, key: str | None) -> User:
        return signed_in(request.user)


class Token(HttpBearer):
    """An API token that was made for `scope`; needs no CSRF token, as no page can send it.

    A request with a wrong one is refused, whatever cookies came with it.
    """

    def __init__(self, scope: str) -> None:
        if scope not in tokens.SCOPES:
            raise ValueError(f"{scope!r} is no scope")
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> User:
        user = tokens.user_of(token.strip(), self.scope)
        request.user = user
        return user


session_user = SignedIn()
"""For what no token may do."""


def may(scope: str) -> list[Token | SignedIn]:
    """For `auth=`: a token of this scope, or else the session's user."""
    return [Token(scope), session_user]


def idempotency_key(request: HttpRequest) -> str:
    """The caller's `Idempotency-Key`; raises `InvalidInput` without one of 1 to 64 characters."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii():
        raise InvalidInput(
            _("Send an Idempotency-Key header of 1 to 64 ASCII characters."),
            field="Idempotency-Key",
        )
    return key


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    details: Mapping[str, object] | None = None,
) -> JsonResponse:
    """A problem detail with a stable `code` and, for bad input, `errors: [{field, message}]`.

    `details` become further members, as RFC 9457 calls them, e.g. `available` beside `sold_out`.
    """
    body: dict[str, Any] = {
        **(details or {}),
        "type": "about:blank",
        "status": status,
        "code": code,
        "title": HTTPStatus(status).phrase,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return JsonResponse(body, status=status, content_type=PROBLEM)


def code_of(status: int) -> str:
    return CODES.get(status, "refused")


def problem_of(error: AppError) -> JsonResponse:
    errors = [{"field": error.field, "message": error.message}] if error.field else None
    response = problem(
        error.status, error.code, error.message, errors=errors, details=error.details
    )
    if error.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        response["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


def _field(place: Sequence[str | int]) -> str:
    """The name that the caller knows: ninja also says the source and, for a body, our argument."""
    inside = place[2:] if place[0] == "body" else place[1:]
    return ".".join(str(part) for part in inside)


def _fault(one: Mapping[str, Any]) -> str:
    return str(FAULTS.get(one["type"], one["msg"]))


def add_problem_handlers(api: NinjaAPI) -> None:
    """Make every error that leaves the API a problem detail."""

    @api.exception_handler(AppError)
    def refused(request: HttpRequest, error: AppError) -> HttpResponse:
        return problem_of(error)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        errors = [{"field": _field(one["loc"]), "message": _fault(one)} for one in error.errors]
        return problem(422, "invalid_input", _("Some of this cannot be used."), errors=errors)

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(error.status_code, code_of(error.status_code), str(error))

    @api.exception_handler(RequestDataTooBig)
    def too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        most = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) // 2**20
        words = _("That is too large: please send at most %(most)d MB at once.")
        return problem(413, code_of(413), words % {"most": most})

    @api.exception_handler(OperationalError)
    @api.exception_handler(InterfaceError)
    def away(request: HttpRequest, error: Exception) -> HttpResponse:
        """The database cannot be reached, or has no connection left for us: no fault of theirs."""
        log.error("%s: the database is away", request.path_info, exc_info=error)
        answer = problem(503, "try_again", _("That did not work just now. Please try again."))
        answer["Retry-After"] = "1"
        return answer


class ProblemMiddleware:
    """Makes problems of the errors under `/api/` that come from outside of the API's own code.

    Django itself answers where there is no such address, as for an id that is none, or a host that
    is not ours; ninja answers a method that an address does not have.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_error = response.status_code >= HTTPStatus.BAD_REQUEST
        if not is_error or not request.path_info.startswith("/api/"):
            return response
        if response.get("Content-Type") == PROBLEM:
            return response
        status = HTTPStatus(response.status_code)
        answer = problem(status, code_of(status), status.description or status.phrase)
        if "Allow" in response:
            answer["Allow"] = response["Allow"]
        return answer
