from django.urls import URLPattern, URLResolver, path

from sentiment import model_pages, views, word_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("readings/<int:pk>/correct/", views.correct_reading, name="correct_reading"),
    path("words/", word_pages.words, name="words"),
    path("words/models/", model_pages.models, name="models"),
    path("words/<str:language>/<str:kind>/<str:target>/", word_pages.word_list, name="word_list"),
]
