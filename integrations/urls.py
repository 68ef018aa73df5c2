from django.urls import URLPattern, URLResolver, path

from integrations.api import schema, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/openapi.json", schema.openapi, name="openapi"),
    path("api/v1/receipts/", views.ReceiptsView.as_view(), name="api_receipts"),
    path("api/v1/calls/", views.CallsView.as_view(), name="api_calls"),
    path("api/v1/responses/", views.ResponsesView.as_view(), name="api_responses"),
    path("api/v1/stores/", views.StoresView.as_view(), name="api_stores"),
    path("api/v1/<path:rest>", views.NothingHere.as_view()),
    path("api/docs/", schema.Docs.as_view(), name="api_docs"),
]
