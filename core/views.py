"""Whether we are there and work, for load balancers and monitoring; and the long jobs that a person asked for."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_response_headers
from django.views.decorators.http import require_POST, require_safe

from core.health import overdue_work, silence_of_jobs, silence_of_lanes
from core.jobs import KEPT_FOR, cancel_job, may_read_file, title_of
from core.look import look
from core.models import Job, JobState
from core.theme import stylesheet

LANE_PATIENCE_SECS = 30
JOBS_PATIENCE_SECS = 180


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def theme(request: HttpRequest) -> HttpResponse:
    """`/theme.css`, so that a chain's colour is a choice and not an edited file; its address changes with it."""
    response = HttpResponse(stylesheet(look().accent, look().second), content_type="text/css")
    patch_response_headers(response, cache_timeout=3600)
    return response


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 unless the database answers, every lane and django-q2 were seen lately, and nothing is overdue."""
    try:
        lanes, jobs, overdue = silence_of_lanes(), silence_of_jobs(), overdue_work()
    except (OperationalError, InterfaceError):
        return JsonResponse({"ready": False, "database": False}, status=503)
    silent = [lane for lane, secs in lanes.items() if secs is None or secs > LANE_PATIENCE_SECS]
    jobs_alive = jobs is not None and jobs <= JOBS_PATIENCE_SECS
    ready = not silent and jobs_alive and not overdue
    return JsonResponse(
        {
            "ready": ready,
            "database": True,
            "lanes": {lane: lane not in silent for lane in lanes},
            "jobs": jobs_alive,
            "overdue": overdue,
        },
        status=200 if ready else 503,
    )


def _own_job(request: HttpRequest, pk: UUID) -> Job:
    """A job is seen by whoever asked for it, and by nobody else."""
    return get_object_or_404(Job, pk=pk, owner=request.user.pk)


@require_safe
def job_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far a long job has come, and what came of it. May be left and opened again."""
    job = _own_job(request, pk)
    context = {
        "job": job,
        "title": title_of(job),
        "kept_until": job.created_at + KEPT_FOR,
        "may_read_file": may_read_file(job),
    }
    template = "core/job.html#job" if request.headers.get("HX-Request") else "core/job.html"
    return render(request, template, context)


@require_safe
def job_file(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """The file that a finished job made, for as long as whoever asked has the roles with which they did."""
    job = _own_job(request, pk)
    if job.state != JobState.DONE or not job.file_name or not may_read_file(job):
        raise Http404
    response = StreamingHttpResponse(job.read(), content_type=job.content_type)
    response["Content-Disposition"] = f'attachment; filename="{job.file_name}"'
    return response


@require_POST
def job_cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stop a job; what its finished steps have done stays."""
    job = _own_job(request, pk)
    cancel_job(job)
    return redirect("job", pk=job.pk)
