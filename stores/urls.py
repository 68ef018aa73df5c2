"""The stores' pages and the sign-in. Of allauth only what staff need: nobody signs up, mail addresses are given."""

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, include, path, re_path

from stores.posters import views as poster_views
from stores.views import home, security, single_sign_on, store, store_list, touchpoints

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("stores/", store_list.store_list, name="stores"),
    path("stores/<str:code>/", store.store, name="store"),
    path("stores/<str:code>/qr/<str:touchpoint>.<str:kind>", touchpoints.touchpoint_qr, name="touchpoint_qr"),
    path("stores/<str:code>/posters/<str:touchpoint>/", poster_views.touchpoint_posters, name="touchpoint_posters"),
    path(
        "stores/<str:code>/posters/<str:touchpoint>/<str:format>.png",
        poster_views.poster_preview,
        name="poster_preview",
    ),
    path("posters/", poster_views.posters, name="posters"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/language/", home.set_language, name="set_language"),
    path("accounts/password/change/", security.change_password, name="account_change_password"),
    path("accounts/password/reset/", security.forgotten_password, name="account_reset_password"),
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
    path("accounts/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/security/", security.overview, name="mfa_index"),
    path("accounts/security/begin/", security.second_step, name="second_step"),
    path("accounts/security/code/", security.authenticate, name="mfa_authenticate"),
    path("accounts/security/confirm/", security.confirm, name="mfa_reauthenticate"),
    path("accounts/security/app/add/", security.add_app, name="mfa_activate_totp"),
    path("accounts/security/app/remove/", security.remove_app, name="mfa_deactivate_totp"),
    path("accounts/security/recovery-codes/", security.recovery_codes, name="mfa_view_recovery_codes"),
    path("accounts/security/recovery-codes/file/", security.recovery_codes_file, name="recovery_codes_file"),
    path("accounts/security/recovery-codes/new/", security.new_recovery_codes, name="mfa_generate_recovery_codes"),
    path("accounts/security/passkeys/add/", security.add_passkey, name="mfa_add_webauthn"),
    path("accounts/security/passkeys/<int:pk>/name/", security.name_passkey, name="mfa_edit_webauthn"),
    path("accounts/security/passkeys/<int:pk>/remove/", security.remove_passkey, name="mfa_remove_webauthn"),
    path("accounts/security/passkeys/confirm/", security.confirm_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("accounts/security/passkeys/login/", security.sign_in_by_passkey, name="mfa_login_webauthn"),
    path("accounts/security/sessions/end/", security.end_session, name="end_session"),
    path("accounts/events/", security.events, name="security_events"),
    path("accounts/oidc/", single_sign_on.start, name="oidc_start"),
    path("accounts/oidc/callback/", single_sign_on.callback, name="oidc_callback"),
    path("", include("stores.people_urls")),
]
