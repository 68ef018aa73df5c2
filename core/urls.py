from django.urls import URLPattern, URLResolver, path

from core.theme import theme

urlpatterns: list[URLPattern | URLResolver] = [
    path("theme.css", theme, name="theme"),
]
