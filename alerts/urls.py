from django.urls import URLPattern, URLResolver, path

from alerts import review_views, rule_pages, shopper, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("setup/rules/", rule_pages.rules, name="rules"),
    path("setup/rules/new/", rule_pages.rule_new, name="rule_new"),
    path("setup/rules/<int:pk>/", rule_pages.rule, name="rule"),
    path("setup/rules/<int:pk>/move/", rule_pages.rule_move, name="rule_move"),
    path("setup/rules/changes/", rule_pages.rule_changes, name="rule_changes"),
    path("setup/rules/alarms/", rule_pages.false_alarms, name="false_alarms"),
    path("setup/clocks/", rule_pages.clocks, name="clocks"),
    path("setup/clocks/new/", rule_pages.clock_new, name="clock_new"),
    path("setup/clocks/<int:pk>/", rule_pages.clock, name="clock"),
    path("setup/groups/", rule_pages.groups, name="alert_groups"),
    path("setup/groups/new/", rule_pages.group_new, name="alert_group_new"),
    path("setup/groups/<int:pk>/", rule_pages.group, name="alert_group"),
    path("setup/urgency/", rule_pages.urgencies, name="urgencies"),
    path("setup/urgency/<str:kind>/", rule_pages.urgency, name="urgency"),
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/review/", review_views.review_queue, name="review_queue"),
    path("inbox/review/<int:review_id>/", review_views.review, name="review"),
    path("cases/<uuid:case_id>/", views.case, name="case"),
    path("t/<str:token>/", shopper.thanks, name="thanks"),
    path("c/<str:token>/", shopper.shopper_case, name="shopper_case"),
    path("c/<str:token>/delete/", shopper.shopper_erase, name="shopper_erase"),
]
