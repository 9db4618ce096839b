"""Who may see what of the pipeline."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, has_role, is_signed_in
from core.accounts.models import Role
from core.errors import NotFound
from media_pipeline.models import Job


def job_for(user: AnyUser, job_id: uuid.UUID) -> Job:
    """The job, for its owner and for operators; to everybody else it does not exist."""
    job = Job.objects.filter(public_id=job_id).first()
    if job is None or not _may_see(user, job):
        raise NotFound(_("There is no such job."))
    return job


def _may_see(user: AnyUser, job: Job) -> bool:
    is_owner = is_signed_in(user) and job.owner_id == user.pk
    return is_owner or has_role(user, Role.OPERATOR)
