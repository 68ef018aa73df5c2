"""Touchpoints for many stores at once, as a long job: a chain of thousands is not equipped by hand."""

from collections.abc import Iterator, Mapping

from django.db.models import QuerySet
from django.utils.translation import get_language, gettext, ngettext, override

from core.jobs import JobFailed, register_job, start_job
from core.models import Job
from stores.access import Part, stores_editable_by
from stores.choices import TouchpointKind
from stores.models import Store, User
from stores.touchpoints import equip_stores

KIND = "touchpoints"
STORES_PER_STEP = 250


def start_equipping(
    stores: QuerySet[Store], wanted: Mapping[TouchpointKind, int], *, owner: User, back_url: str
) -> Job:
    """Have each of these stores brought to so many touchpoints of each kind. Which stores is settled now."""
    ids = list(stores.order_by("pk").values_list("pk", flat=True))
    said = ngettext("Touchpoints for %(count)s store", "Touchpoints for %(count)s stores", len(ids))
    return start_job(
        KIND,
        owner=owner.pk,
        title=said % {"count": len(ids)},
        params={"stores": ids, "wanted": dict(wanted), "language": owner.language or get_language()},
        back_url=back_url,
    )


def equip(job: Job) -> Iterator[None]:
    """Some stores a step; begun anew, it goes on after the last."""
    ids: list[int] = job.params["stores"]
    wanted = {TouchpointKind(kind): number for kind, number in job.params["wanted"].items()}
    job.total, job.cursor = len(ids), job.cursor or {"made": 0}
    while job.done < len(ids):
        batch = ids[job.done : job.done + STORES_PER_STEP]
        with override(job.params["language"]):
            owner = User.objects.get(pk=job.owner)
            if not owner.is_active:
                raise JobFailed(gettext("Stopped: whoever asked for it has left."))
            # What they may change now, not what they might when they asked.
            theirs = stores_editable_by(owner, Part.TOUCHPOINTS).filter(pk__in=batch)
            made = job.cursor["made"] + equip_stores(list(theirs.values_list("pk", flat=True)), wanted, actor=owner)
            job.note = ngettext("%(n)d touchpoint made.", "%(n)d touchpoints made.", made) % {"n": made}
        job.cursor = {"made": made}
        job.done += len(batch)
        yield


register_job(KIND, equip)
