from django.urls import URLPattern, URLResolver, path

from surveys import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("q/", views.find_touchpoint, name="find_touchpoint"),
    path("q/<str:code>/", views.touchpoint, name="touchpoint"),
    path("r/<str:token>/", views.invitation, name="invitation"),
]
