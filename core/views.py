"""Whether we are there, and whether we work: for load balancers and monitoring."""

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from core.health import overdue_work, silence_of_jobs, silence_of_lanes

LANE_PATIENCE_SECS = 30
JOBS_PATIENCE_SECS = 180


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


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
