from django.urls import URLPattern, URLResolver, path

from reports import explorer_views, traffic_pages, views
from reports.api import TrafficView

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", views.reports, name="reports"),
    path("setup/traffic/", traffic_pages.traffic, name="traffic"),
    path("api/v1/traffic/", TrafficView.as_view(), name="api_traffic"),
    path("verbatims/", explorer_views.verbatims, name="verbatims"),
    path("verbatims/<int:verbatim_id>/", explorer_views.verbatim, name="verbatim"),
    path("wall/<str:code>/<str:week>.pdf", views.wall_as_pdf, name="wall_pdf"),
    path("wall/<str:code>/<str:week>/", views.wall, name="wall"),
]
