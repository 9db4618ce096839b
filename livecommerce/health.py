"""What machines ask: is the process alive, is it ready for people, and how is it doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.callers import is_secret, is_this_machine
from core.clock import now
from core.models import OutboxFact
from livecommerce import disk
from media_pipeline.live.feed import feeds
from media_pipeline.live.metrics import LiveMetrics
from media_pipeline.models import Job
from streams.models import Show

REDIS_WITHIN_S = 1.0


class HealthMiddleware:
    """Answers `/healthz`, `/readyz` and `/metrics` before hosts and sessions are looked at.

    A probe asks by address, with a Host header that people never use.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = ANSWERS.get(request.path_info)
        return answer(request) if answer else self.get_response(request)


def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """200 when people can be served; 503 with what is missing otherwise."""
    missing = what_is_missing()
    return JsonResponse({"ready": not missing, "missing": missing}, status=503 if missing else 200)


def what_is_missing() -> list[str]:
    return [missing for missing in (database_problem(), redis_problem()) if missing]


def database_problem() -> str:
    """What the database lacks, in a few words; nothing if it is well."""
    try:
        waiting = waiting_migrations()
    except DatabaseError as error:
        return f"the database does not answer ({type(error).__name__})"
    return f"{waiting} migrations are not applied" if waiting else ""


def redis_problem(*, in_full: bool = False) -> str:
    """Why Redis cannot be used, in a few words; nothing if it can, or if there is none.

    `in_full` is for the operator: it names the address.
    """
    if not settings.REDIS_URL:
        return ""
    from redis import Redis  # an instance without Redis needs no client of it
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry

    patience = {"socket_timeout": REDIS_WITHIN_S, "socket_connect_timeout": REDIS_WITHIN_S}
    try:
        with Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **patience) as redis:
            redis.set("lc:ready", 1, ex=1)  # a replica, or one that is full, cannot be used either
    except (RedisError, OSError, ValueError) as error:
        name = type(error).__name__
        return f"Redis does not answer ({f'{name}: {error}' if in_full else name})"
    return ""


def waiting_migrations() -> int:
    """How many migrations the database still lacks."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for this machine or for whoever has the token."""
    if not may_read_metrics(request):
        return HttpResponseNotFound()
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request: HttpRequest) -> bool:
    if token := settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return is_secret(given, f"Bearer {token}")
    return is_this_machine(request)


class Business(Collector):
    """Figures that are read from the database when somebody asks."""

    def describe(self) -> list[Metric]:
        return []  # registering must not touch the database

    def collect(self) -> Iterator[Metric]:
        waiting = OutboxFact.objects.filter(sent_at=None, dead_at=None)
        yield gauge("outbox_waiting", "Facts that wait for their handlers", waiting.count())
        oldest = waiting.aggregate(at=Min("at"))["at"]
        age_s = (now() - oldest).total_seconds() if oldest else 0.0
        yield gauge("outbox_oldest_seconds", "Age of the oldest waiting fact", age_s)
        dead = OutboxFact.objects.exclude(dead_at=None).count()
        yield gauge("outbox_dead", "Facts that were given up", dead)
        yield gauge("disk_free_bytes", "Room in the data folder", disk.free())
        yield by_state("jobs", "Media jobs", Job.objects.all())
        shows = Show.objects.filter(is_rehearsal=False, is_practice=False)
        yield by_state("shows", "Shows", shows)


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"livecommerce_{name}", text, value=value)


def by_state(name: str, text: str, rows: QuerySet[Job] | QuerySet[Show]) -> Metric:
    family = GaugeMetricFamily(f"livecommerce_{name}", f"{text} by state", labels=["state"])
    counts = rows.values_list("state").annotate(Count("pk")).order_by("state")
    for state, count in counts:
        family.add_metric([state], count)
    return family


REGISTRY.register(Business())
REGISTRY.register(LiveMetrics(feeds))

ANSWERS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": alive,
    "/readyz": ready,
    "/metrics": metrics,
}
