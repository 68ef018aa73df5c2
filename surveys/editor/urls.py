from django.urls import URLPattern, path

from surveys.editor import views

urlpatterns: list[URLPattern] = [
    path("setup/surveys/", views.survey_list, name="surveys"),
    path("setup/surveys/where/", views.survey_places, name="survey_places"),
    path("setup/surveys/<slug:slug>/", views.survey, name="survey"),
    path("setup/surveys/<slug:slug>/arrange/", views.survey_arrange, name="survey_arrange"),
    path("setup/surveys/<slug:slug>/preview/", views.survey_preview, name="survey_preview"),
    path("setup/surveys/<slug:slug>/preview/page/", views.preview_frame, name="survey_preview_frame"),
    path("setup/surveys/<slug:slug>/questions/<str:key>/", views.survey_question, name="survey_question"),
    path("setup/surveys/<slug:slug>/languages/", views.survey_languages, name="survey_languages"),
    path("setup/surveys/<slug:slug>/languages/texts.csv", views.translations_file, name="survey_texts"),
    path("setup/surveys/<slug:slug>/languages/import/", views.translations_import, name="survey_texts_import"),
    path("setup/surveys/<slug:slug>/languages/<str:language>/", views.survey_translation, name="survey_translation"),
    path("setup/surveys/<slug:slug>/publish/", views.survey_publish, name="survey_publish"),
    path("setup/surveys/<slug:slug>/versions/", views.survey_versions, name="survey_versions"),
]
