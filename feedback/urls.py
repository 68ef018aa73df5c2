"""Every address of the installation, room by room."""

from django.urls import include, path

urlpatterns = [
    path("", include("core.urls")),
    path("", include("surveys.urls")),
    path("", include("sentiment.urls")),
    path("", include("alerts.urls")),
    path("", include("stores.setup_urls")),
    path("", include("stores.urls")),
    path("", include("reports.urls")),
    path("", include("integrations.urls")),
    path("", include("messaging.urls")),
]
