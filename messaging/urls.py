from django.urls import URLPattern, URLResolver, path

from messaging.views import app, callbacks, chats, inbound, mailbox, mine, trouble

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/alerts/", mine.my_alerts, name="my_alerts"),
    path("me/alerts/channels/", mine.set_my_channels, name="my_channels"),
    path("me/alerts/devices/", mine.add_device, name="add_push_device"),
    path("me/alerts/devices/<int:pk>/remove/", mine.remove_device, name="remove_push_device"),
    path("me/alerts/test/", mine.test_my_alerts, name="test_my_alerts"),
    path("messages/", trouble.trouble, name="message_trouble"),
    path("messages/status/<uuid:pk>/", callbacks.message_status, name="message_status"),
    path("messages/texts/", inbound.text_came, name="text_came"),
    path("messages/<uuid:pk>/", trouble.settle, name="settle_message"),
    path("messages/chats/", chats.chats, name="chats"),
    path("messages/chats/<int:pk>/", chats.change_chat, name="change_chat"),
    path("manifest.webmanifest", app.manifest, name="manifest"),
    path("sw.js", app.service_worker, name="service_worker"),
    path("demo/mailbox/", mailbox.mailbox, name="mailbox"),
    path("demo/mailbox/<int:pk>/", mailbox.mailbox, name="mailbox_message"),
    path("demo/mailbox/<int:pk>/html/", mailbox.mailbox_html, name="mailbox_html"),
]
