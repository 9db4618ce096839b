"""HTTP: the minutes of a show that sold, for its host."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from core.api import may, session_user
from streams import access
from streams.highlights import desk

router = Router(tags=["shows"], auth=session_user)


class ProposalOut(Schema):
    """Seconds of the recording; `kind` is "sold" or "explains" (a product's own best moment)."""

    kind: str
    start_s: float
    end_s: float
    product: str
    reasons: list[str]
    score: float | None


class CourseOut(Schema):
    """Sums for each `step_s` seconds of the recording; `viewers` is 0 where nobody counted."""

    step_s: float
    orders: list[int]
    messages: list[int]
    viewers: list[int]


class HighlightsOut(Schema):
    """The best first. `edition` belongs to the seconds, as a clip needs it.

    Edges are rough until the recording was `listened` to, which the first request begins.
    """

    recording_id: UUID | None
    edition: int
    delay_s: float | None
    proposals: list[ProposalOut]
    course: CourseOut | None
    listened: bool


@router.get("/shows/{uuid:show_id}/highlights", response=HighlightsOut, auth=may("read:shows"))
def highlights(request: HttpRequest, show_id: UUID) -> desk.Desk:
    """The minutes that sold, each with its reasons, from the show's own orders and talk."""
    return desk.desk(access.show_to_host(request.user, show_id))
