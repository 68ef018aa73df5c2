from django.urls import URLPattern, URLResolver, path

from core.views import healthz, job_cancel, job_file, job_page, readyz, theme

urlpatterns: list[URLPattern | URLResolver] = [
    path("theme.css", theme, name="theme"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("jobs/<uuid:pk>/", job_page, name="job"),
    path("jobs/<uuid:pk>/file", job_file, name="job_file"),
    path("jobs/<uuid:pk>/cancel", job_cancel, name="job_cancel"),
]
