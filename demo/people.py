"""Who of the demo chain is away: made after its history, so that everybody was there while it happened."""

from datetime import datetime, timedelta

from stores.choices import Role
from stores.models import Absence, User
from stores.queries import people_by_role

# By store: who manages it is away, with a deputy or somebody above who stands in, or with nobody named.
_AWAY = (("KY2", Role.DEPUTY), ("BE1", Role.AREA_MANAGER), ("LO2", None))


def send_some_on_holiday(now: datetime) -> list[Absence]:
    """A manager in each country is away for some days, entered by themselves."""
    entered = []
    for number, (code, role) in enumerate(_AWAY, start=1):
        manager = User.objects.filter(roles__store__code=code, roles__role=Role.STORE_MANAGER).first()
        if manager is None:
            continue
        store = manager.roles.select_related("store__node").get(store__code=code).store
        assert store is not None
        near = people_by_role(store).get(role, []) if role else []
        entered.append(
            Absence(
                user=manager,
                starts_at=now - timedelta(hours=number),
                ends_at=now + timedelta(days=3 + number),
                stand_in=next(iter(near), None),
                created_by=manager,
            )
        )
    return Absence.objects.bulk_create(entered)
