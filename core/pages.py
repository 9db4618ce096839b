"""What every app's pages share: errors as pages, forms sent twice, and lists cut into pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID, uuid5

from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.defaults import permission_denied

from core.errors import NotAllowed, NotFound, SignInRequired
from core.ids import new_id, parse_id

KEY_FIELD = "form_key"
CSRF_FIELD = "csrfmiddlewaretoken"
P = ParamSpec("P")
M = TypeVar("M", bound=Model)
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def page(view: View[P]) -> View[P]:
    """A view whose services may refuse: sign in first, no such page, or not allowed."""

    @wraps(view)
    def shown(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except SignInRequired:
            return redirect_to_login(request.get_full_path())
        except NotFound as error:
            raise Http404(error.message) from error
        except NotAllowed as error:
            # Answered, not raised: Django would log the traceback of each.
            return permission_denied(request, error)

    return shown


def id_of_form(request: HttpRequest) -> UUID:
    """The public id for what the posted form makes: the same when the same is posted again.

    Made of the form's key (`livecommerce/once.html`), the person and all that was typed: who
    goes back and types something else makes something else.
    """
    key = parse_id(request.POST.get(KEY_FIELD, ""))
    if key is None:
        return new_id()
    typed = sorted((name, values) for name, values in request.POST.lists() if name != CSRF_FIELD)
    return uuid5(key, json.dumps([request.user.pk, typed]))


def made_once(make: Callable[[], object], made: QuerySet[M]) -> M:
    """What `make` makes, or what an equal request has made before, or is making now.

    `made` finds it by its unique public id, which decides between requests that come together.
    """
    if found := made.first():
        return found
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        if found := made.first():
            return found
        raise
    return made.get()


@dataclass(frozen=True, slots=True)
class Cut(Generic[M]):
    """One page of a list, and the `before` that leads to the next one (empty on the last)."""

    rows: list[M]
    before: str


def cut(rows: QuerySet[M], before: str, size: int) -> Cut[M]:
    """The `size` newest rows that are older than the one whose public id is `before`."""
    rows = rows.order_by("-pk")
    edge = parse_id(before)
    if edge is not None:
        rows = rows.filter(pk__lt=rows.model._default_manager.filter(public_id=edge).values("pk"))
    found = list(rows[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Cut(found[:size], str(getattr(last, "public_id", "")))
