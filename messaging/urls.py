from django.urls import URLPattern, URLResolver, path

from messaging import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("demo/mailbox/", views.mailbox, name="mailbox"),
    path("demo/mailbox/<int:pk>/", views.mailbox, name="mailbox_message"),
    path("demo/mailbox/<int:pk>/html/", views.mailbox_html, name="mailbox_html"),
]
