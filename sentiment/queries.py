"""What is known about readings, and what is still owed."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q, QuerySet

from core.leases import from_now
from sentiment.models import Analysis
from stores.models import RoleAssignment, Store, User
from stores.queries import stores_visible_to


def readings_visible_to(user: User) -> QuerySet[Analysis]:
    """The readings of words that one of the user's roles lets them read."""
    return Analysis.objects.filter(verbatim__response__store__in=stores_visible_to(user))


def given_up() -> QuerySet[Analysis]:
    """Readings that failed so often that nothing tries them any more; a person has to look."""
    return Analysis.objects.filter(run_at=None, analysed_at=None).exclude(last_error="")


def count_overdue(patience_secs: int) -> int:
    """Readings that are given up, or due for longer than `patience_secs` by the database's clock."""
    limit = from_now(-timedelta(seconds=patience_secs))
    return given_up().count() + Analysis.objects.filter(run_at__lt=limit).count()


def names_of_staff(stores: Iterable[Store]) -> dict[int, list[str]]:
    """For each store's id the names of the people who work for it, there or anywhere above it in the tree."""
    wanted = {store.pk: store for store in stores}
    above = {pk: {int(part) for part in store.node.path.strip("/").split("/")} for pk, store in wanted.items()}
    nodes = set().union(*above.values()) if above else set()
    names: dict[int, set[str]] = {pk: set() for pk in wanted}
    held = RoleAssignment.objects.filter(Q(store__in=wanted) | Q(node__in=nodes))
    for store_id, node_id, name in held.values_list("store_id", "node_id", "user__name"):
        for pk in wanted:
            if pk == store_id or node_id in above[pk]:
                names[pk].add(name)
    return {pk: sorted(found) for pk, found in names.items()}
