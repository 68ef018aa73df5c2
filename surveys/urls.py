from django.urls import URLPattern, URLResolver, include, path

from surveys import asking_pages, key_pages, leave_pages, look_pages, touchpoint_pages, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("surveys.editor.urls")),
    path("setup/look/", look_pages.chain_look, name="chain_look"),
    path("setup/look/page/", look_pages.look_frame, name="look_frame"),
    path("setup/asking/", asking_pages.asking, name="asking"),
    path("setup/till-keys/", key_pages.till_keys, name="till_keys"),
    path("setup/till-keys/for-makers/<str:name>", key_pages.till_paper, name="till_paper"),
    path("setup/till-keys/<str:code>/", key_pages.till_keys_of, name="till_keys_of"),
    path("q/", views.find_touchpoint, name="find_touchpoint"),
    path("q/<str:code>/", views.touchpoint, name="touchpoint"),
    path("r/<str:token>/", views.invitation, name="invitation"),
    path("u/<str:token>/", leave_pages.leave, name="leave"),
    path("stores/<str:code>/touchpoints/", touchpoint_pages.touchpoint_list, name="touchpoints"),
    path("stores/<str:code>/touchpoints/new/", touchpoint_pages.touchpoint_new, name="touchpoint_new"),
    path("stores/<str:code>/touchpoints/<int:pk>/", touchpoint_pages.touchpoint_page, name="touchpoint_page"),
    path(
        "stores/<str:code>/touchpoints/<int:pk>/<str:action>/",
        touchpoint_pages.touchpoint_change,
        name="touchpoint_change",
    ),
    path("scans/", touchpoint_pages.scan_flags, name="scan_flags"),
    path("scans/<int:pk>/dismiss/", touchpoint_pages.dismiss_scan_flag, name="dismiss_scan_flag"),
]
