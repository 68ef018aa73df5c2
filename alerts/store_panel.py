"""What a store's page shows of its cases, and how many are open where stores are moved."""

from django.db.models import QuerySet

from alerts.choices import TO_DO
from alerts.models import Case
from stores.choices import CASE_ROLES
from stores.hooks import Panel, register_open_work, register_panel
from stores.models import Store, User
from stores.queries import stores_visible_to
from surveys.counting import no_answer
from surveys.models import Response


@register_open_work
def open_cases(stores: QuerySet[Store]) -> int:
    """How many cases of these stores wait for somebody."""
    return Case.objects.filter(store__in=stores, state__in=TO_DO).count()


@register_panel
def store_work(user: User, store: Store) -> Panel:
    """How many cases are open and when somebody last answered; the way to the cases for those who may read them."""
    answers = Response.objects.filter(store=store).exclude(no_answer())
    last = answers.order_by("-local_day", "-submitted_at").values("submitted_at").first()
    return Panel(
        "alerts/_store_panel.html",
        {
            "open": Case.objects.filter(store=store, state__in=TO_DO).count(),
            "last_at": last["submitted_at"] if last else None,
            "zone": store.time_zone,
            "may_read": stores_visible_to(user, roles=CASE_ROLES).filter(pk=store.pk).exists(),
        },
    )
