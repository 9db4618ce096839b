"""Jobs by Celery: messages say "job N may be run", and nothing else.

A queue may outlive a deployment: the task's name and its one argument are a version of their own.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from celery import Celery
from django.conf import settings
from django.db.models import Q
from kombu.exceptions import OperationalError
from redis import RedisError

from core.clock import now
from media_pipeline import jobs
from media_pipeline.models import Job

log = logging.getLogger(__name__)

MAY_RUN = "livecommerce.job_may_run.v1"
QUEUE = "livecommerce-jobs"
# Redis keeps a list for each step, and the lower number goes first; RabbitMQ counts the other way.
STEPS = (0, 3, 6, 9)
UNTIL = (jobs.Priority.SHOW, jobs.Priority.CLIP, jobs.Priority.REPLAY)
# A web request waits for no more than this when the broker is away.
SEND_WITHIN_S = 2.0
AWAY = (OperationalError, RedisError, OSError)
SEND_AGAIN_AFTER = timedelta(seconds=10)
SENT_AT_ONCE = 20


def _app() -> Celery:
    is_redis = not settings.CELERY_BROKER.startswith("amqp")
    made = Celery("livecommerce", broker=settings.CELERY_BROKER, set_as_current=False)
    made.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        # A message counts as brought when the job has ended: a worker takes no more than it can do.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=SEND_WITHIN_S,
        broker_transport_options=_of_redis() if is_redis else {},
        task_queue_max_priority=None if is_redis else max(STEPS),
    )
    return made


def _of_redis() -> dict[str, Any]:
    return {
        "queue_order_strategy": "priority",
        "priority_steps": list(STEPS),
        "socket_connect_timeout": SEND_WITHIN_S,
        "socket_timeout": 5 * SEND_WITHIN_S,
    }


app = _app()


def step(priority: int) -> int:
    """Celery's step for a job's priority."""
    place = sum(priority > border for border in UNTIL)
    is_redis = not settings.CELERY_BROKER.startswith("amqp")
    return STEPS[place] if is_redis else STEPS[-1 - place]


def send(job: Job) -> bool:
    """Say that this job may be run; `False` if the broker is away, and the schedule must do it."""
    try:
        app.send_task(MAY_RUN, args=[job.pk], priority=step(job.priority), retry=False)
    except AWAY:
        log.warning("job %d could not be sent; the schedule tries again", job.pk, exc_info=True)
        return False
    Job.objects.filter(pk=job.pk).update(sent_at=now())
    return True


def send_again() -> int:
    """Send the most urgent of what nobody holds and what was not sent lately; how many.

    Words that were lost, jobs whose pause is over, and those whose worker vanished. One that only
    waits behind others is sent twice, which does no harm.
    """
    lately = Q(sent_at=None) | Q(sent_at__lt=now() - SEND_AGAIN_AFTER)
    waiting = jobs.claimable().filter(lately).order_by("priority", "id")[:SENT_AT_ONCE]
    sent = 0
    for job in waiting:
        if not send(job):
            break
        sent += 1
    return sent
