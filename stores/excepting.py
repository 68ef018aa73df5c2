"""Other hours on a date for many stores at once: Christmas Eve is one sentence for a whole country."""

from collections.abc import Iterator, Mapping

from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext

from core.jobs import register_job
from core.models import Job
from stores import actions
from stores.access import Part, stores_editable_by
from stores.forms import ExceptionForm
from stores.many import in_steps, start_many
from stores.models import Store, User

KIND = "exceptions"
STORES_PER_STEP = 100


def start_excepting(stores: QuerySet[Store], fields: Mapping[str, str], *, owner: User, back_url: str) -> Job:
    """Have what was entered into ExceptionForm hold at each of these stores."""
    ids = list(stores.order_by("pk").values_list("pk", flat=True))
    said = ngettext("Other hours of %(count)s store", "Other hours of %(count)s stores", len(ids))
    return start_many(KIND, ids, owner=owner, title=said % {"count": len(ids)}, back_url=back_url, fields=dict(fields))


def change_hours(job: Job) -> Iterator[None]:
    """A store at which the night before would not be over is left out."""

    def do(owner: User, ids: list[int]) -> int:
        return sum(_changed(store, job.params["fields"], owner) for store in _theirs(owner).filter(pk__in=ids))

    return in_steps(job, size=STORES_PER_STEP, do=do, say=_said)


def _theirs(owner: User) -> QuerySet[Store]:
    return stores_editable_by(owner, Part.EXCEPTIONS).filter(retired_at=None).order_by("pk")


def _changed(store: Store, fields: Mapping[str, str], owner: User) -> bool:
    form = ExceptionForm(store, fields)
    if not form.is_valid():
        return False
    data = form.cleaned_data
    actions.set_exception(store, data["first"], data["last"], data["hours"], reason=data["reason"], actor=owner)
    return True


def _said(changed: int, stores: int) -> str:
    said = ngettext("%(n)d store changed.", "%(n)d stores changed.", changed) % {"n": changed}
    if left_out := stores - changed:
        said += " " + gettext("Left out, since the night before is not over by then: %(n)d.") % {"n": left_out}
    return said


register_job(KIND, change_hours)
