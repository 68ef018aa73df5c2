from django.urls import URLPattern, URLResolver, path

from reports import explorer_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", views.reports, name="reports"),
    path("verbatims/", explorer_views.verbatims, name="verbatims"),
    path("verbatims/<int:verbatim_id>/", explorer_views.verbatim, name="verbatim"),
    path("wall/<str:code>/<str:week>.pdf", views.wall_as_pdf, name="wall_pdf"),
    path("wall/<str:code>/<str:week>/", views.wall, name="wall"),
]
