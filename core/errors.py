"""Errors that a person is meant to read.

A service raises one of these for what happened; the socket, the HTTP API and the pages each turn
it into their own shape and never invent a text of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AppError(Exception):
    """Something a caller did that cannot be done, with a stable `code` and a message for people.

    `field` names the input at fault, if one is. `retry_after` is in seconds. `details` are facts
    that a program needs to go on, of JSON types, e.g. the new price.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        retry_after: float | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after
        self.details = dict(details or {})


class InvalidInput(AppError):
    """The input itself is wrong; `field` says which part of it."""

    code = "invalid_input"
    status = 422


class SignInRequired(AppError):
    code = "sign_in_required"
    status = 401


class NotAllowed(AppError):
    """The person may see the object, but not do this to it."""

    code = "not_allowed"
    status = 403


class NotFound(AppError):
    """No such object, or not one that this person may know of."""

    code = "not_found"
    status = 404


class Conflict(AppError):
    """The object is not in a state in which this can be done."""

    code = "conflict"
    status = 409


class TooMany(AppError):
    """Asked too often; `retry_after` says when to come back."""

    code = "too_many"
    status = 429
