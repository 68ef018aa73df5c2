"""The praise of the demo's shoppers, and who of the team has said thank you."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from alerts.kudos import is_very_happy
from alerts.models import Kudos, Thanks
from sentiment.models import Analysis
from stores.choices import Role
from stores.models import RoleAssignment

_SINCE = timedelta(weeks=13)
_READ_AFTER = timedelta(seconds=4)
_THANKED_SHARE = 0.7


def save_kudos(analyses: Iterable[Analysis], unhappy: set[UUID], rng: random.Random, now: datetime) -> None:
    """Kudos for very happy words of the last weeks; not for those of the responses in `unhappy`, which have a case."""
    held = RoleAssignment.objects.filter(role=Role.STORE_MANAGER).select_related("user")
    managers = {role.store_id: role.user for role in held}
    made: dict[UUID, Kudos] = {}
    thanks = []
    for analysis in analyses:
        response = analysis.verbatim.response
        at = response.submitted_at + _READ_AFTER
        if at < now - _SINCE or response.pk in unhappy or response.pk in made or not is_very_happy(response, analysis):
            continue
        made[response.pk] = Kudos(response=response, store_id=response.store_id, created_at=at)
        manager, thanked_at = managers.get(response.store_id), at + timedelta(minutes=rng.randint(2, 900))
        if manager and thanked_at < now and rng.random() < _THANKED_SHARE:
            thanks.append(Thanks(kudos=made[response.pk], user=manager, at=thanked_at))
    Kudos.objects.bulk_create(made.values(), batch_size=1000)
    Thanks.objects.bulk_create(thanks, batch_size=1000)
