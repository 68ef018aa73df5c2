from django.urls import URLPattern, URLResolver, path

from reports import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", views.reports, name="reports"),
    path("wall/<str:code>/<str:week>.pdf", views.wall_as_pdf, name="wall_pdf"),
    path("wall/<str:code>/<str:week>/", views.wall, name="wall"),
]
