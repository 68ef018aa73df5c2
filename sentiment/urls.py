from django.urls import URLPattern, URLResolver, path

from sentiment import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("readings/<int:pk>/correct/", views.correct_reading, name="correct_reading"),
]
