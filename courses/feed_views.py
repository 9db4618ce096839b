"""The feed at `/learn/`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.accounts.access import is_signed_in, signed_in
from courses import feed
from courses.feed import Item

# Who left before goes on from the beginning: it is nearer than the place.
RESUMES_FROM_S = 10


@require_GET
def learn(request: HttpRequest) -> HttpResponse:
    items = feed.feed(request.user)
    person = str(signed_in(request.user).public_id) if is_signed_in(request.user) else ""
    data = {"person": person, "items": [item_out(one) for one in items]}
    return render(request, "courses/feed.html", {"items": items, "data": data})


def item_out(item: Item) -> dict[str, Any]:
    lesson = item.lesson.lesson
    return {
        "id": str(lesson.public_id),
        "src": item.forms.first_url,
        "thumb": item.forms.thumb_url,
        "joined": item.is_joined,
        "intervals": item.lesson.watched,
        "required_s": round(lesson.required_s, 3),
        # A browser reads a film up to where it begins: two seconds of a slow line for so little.
        "resume_s": left_at if (left_at := item.lesson.resume_s) >= RESUMES_FROM_S else 0,
        "enrol_path": reverse("api:enrol", args=[item.course.course.public_id]),
    }
