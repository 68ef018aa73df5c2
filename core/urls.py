from django.urls import URLPattern, URLResolver, path

from core.theme import theme
from core.views import healthz, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("theme.css", theme, name="theme"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
