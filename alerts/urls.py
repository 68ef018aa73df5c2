from django.urls import URLPattern, URLResolver, path

from alerts import review_views, shopper, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/review/", review_views.review_queue, name="review_queue"),
    path("inbox/review/<int:review_id>/", review_views.review, name="review"),
    path("cases/<uuid:case_id>/", views.case, name="case"),
    path("t/<str:token>/", shopper.thanks, name="thanks"),
    path("c/<str:token>/", shopper.shopper_case, name="shopper_case"),
    path("c/<str:token>/delete/", shopper.shopper_erase, name="shopper_erase"),
]
