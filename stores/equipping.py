"""Touchpoints for many stores at once: a chain of thousands is not equipped by hand."""

from collections.abc import Iterator, Mapping

from django.db.models import QuerySet
from django.utils.translation import ngettext

from core.jobs import register_job
from core.models import Job
from stores.access import Part, stores_editable_by
from stores.choices import TouchpointKind
from stores.many import count_anew, in_steps, start_many
from stores.models import Store, User
from stores.touchpoints import equip_stores

KIND = "touchpoints"
STORES_PER_STEP = 250


def start_equipping(
    stores: QuerySet[Store], wanted: Mapping[TouchpointKind, int], *, owner: User, back_url: str
) -> Job:
    """Have each of these stores brought to so many touchpoints of each kind."""
    ids = list(stores.order_by("pk").values_list("pk", flat=True))
    said = ngettext("Touchpoints for %(count)s store", "Touchpoints for %(count)s stores", len(ids))
    return start_many(KIND, ids, owner=owner, title=said % {"count": len(ids)}, back_url=back_url, wanted=dict(wanted))


def equip(job: Job) -> Iterator[None]:
    """What they may change now, not what they might when they asked."""
    wanted = {TouchpointKind(kind): number for kind, number in job.params["wanted"].items()}

    def do(owner: User, ids: list[int]) -> int:
        theirs = stores_editable_by(owner, Part.TOUCHPOINTS).filter(pk__in=ids)
        return equip_stores(list(theirs.values_list("pk", flat=True)), wanted, actor=owner)

    yield from in_steps(job, size=STORES_PER_STEP, do=do, say=_made)
    count_anew()


def _made(made: int, _stores: int) -> str:
    return ngettext("%(n)d touchpoint made.", "%(n)d touchpoints made.", made) % {"n": made}


register_job(KIND, equip)
