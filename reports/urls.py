from django.urls import URLPattern, URLResolver, path

from reports import (
    action_pages,
    digest_pages,
    explorer_views,
    export_pages,
    pages,
    published_pages,
    store_pages,
    traffic_pages,
    wall_views,
)
from reports.api import TrafficView

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", pages.reports, name="reports"),
    path("reports/store/", store_pages.my_store, name="my_store"),
    path("reports/store/<str:code>/", store_pages.store_view, name="store_view"),
    path("reports/stores/", pages.stores, name="report_stores"),
    path("reports/topics/", pages.topics, name="report_topics"),
    path("reports/loop/", pages.loop, name="report_loop"),
    path("reports/asking/", pages.asking, name="report_asking"),
    path("reports/compare/", pages.compare, name="report_compare"),
    path("reports/change/", pages.change, name="report_change"),
    path("reports/actions/", action_pages.actions, name="actions"),
    path("reports/actions/begin/", action_pages.begin_action, name="action_begin"),
    path("reports/actions/<int:pk>/", action_pages.action, name="action"),
    path("reports/files/", export_pages.exports, name="report_files"),
    path("reports/digests/", digest_pages.digests, name="digests"),
    path("reports/published/", published_pages.published, name="published"),
    path("reports/published/<int:pk>/", published_pages.published_period, name="published_period"),
    path("setup/traffic/", traffic_pages.traffic, name="traffic"),
    path("api/v1/traffic/", TrafficView.as_view(), name="api_traffic"),
    path("verbatims/", explorer_views.verbatims, name="verbatims"),
    path("verbatims/<int:verbatim_id>/", explorer_views.verbatim, name="verbatim"),
    path("wall/<str:code>/screen/", wall_views.screen_link, name="wall_screen"),
    path("wall/<str:code>/<str:week>.pdf", wall_views.wall_as_pdf, name="wall_pdf"),
    path("wall/<str:code>/<str:week>/", wall_views.wall, name="wall"),
    path("wall/<str:code>/<str:week>/approve/", wall_views.approve, name="wall_approve"),
    path("wall/<str:code>/<str:week>/hide/<int:verbatim_id>/", wall_views.hide, name="wall_hide"),
    path("wall/<str:code>/<str:week>/show/<int:verbatim_id>/", wall_views.show_again, name="wall_show"),
    path("screen/<str:token>/", wall_views.screen, name="screen"),
]
