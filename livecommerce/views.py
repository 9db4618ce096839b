"""The front door: what is live, what is coming, what can be watched again, what can be learnt."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "livecommerce/home.html", {})
