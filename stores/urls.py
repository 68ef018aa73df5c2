"""The stores' pages and the sign-in. Of allauth only what staff need: nobody signs up, mail addresses are given."""

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, path, re_path

from stores.views import home, store, store_list, touchpoints

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("stores/", store_list.store_list, name="stores"),
    path("stores/<str:code>/", store.store, name="store"),
    path("stores/<str:code>/qr/<str:touchpoint>.<str:kind>", touchpoints.touchpoint_qr, name="touchpoint_qr"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/language/", home.set_language, name="set_language"),
    path("accounts/password/change/", account.password_change, name="account_change_password"),
    path("accounts/password/reset/", account.password_reset, name="account_reset_password"),
    path("accounts/password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
