"""What makes the staff pages an app on a phone: its manifest and the worker that shows push messages."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.look import look


@login_not_required
@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """https://www.w3.org/TR/appmanifest/"""
    icon = {"src": static("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    about = {
        "id": "/",
        "name": settings.CHAIN_NAME,
        "short_name": settings.CHAIN_NAME[:12],
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "theme_color": look().accent,
        "background_color": "#ffffff",
        "icons": [icon],
    }
    return JsonResponse(about, content_type="application/manifest+json")


@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """From the root, for a worker sees only what lies below its own address."""
    path = finders.find("js/worker.js") or settings.STATIC_ROOT / "js" / "worker.js"
    with open(path, "rb") as file:
        return HttpResponse(file.read(), content_type="text/javascript")
