"""What this room knows of a store that is not yet set up: nobody ever scanned one of its codes."""

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from stores.access import Part
from stores.checklist import Gap, among, register
from stores.choices import StoreKind
from stores.models import Touchpoint
from surveys.models import Response, ScanHour


def _never_scanned() -> Q:
    # Of these two there are far too many to look at all; each store's first is found by its index.
    scans = ScanHour.objects.filter(touchpoint__store=OuterRef("pk"))
    # Who has answered has scanned, also before scans were counted.
    answers = Response.objects.filter(store=OuterRef("pk"), touchpoint__isnull=False)
    in_use = among(Touchpoint.objects.filter(retired_at=None))
    return in_use & Q(~Exists(scans), ~Exists(answers), kind=StoreKind.SHOP)


register(
    Gap(
        "scan",
        _("Never scanned"),
        _("Nobody has opened one of its codes: does the poster hang?"),
        _never_scanned,
        lambda store: reverse("store", args=[store.code]) + "#codes-title",
        Part.TOUCHPOINTS,
    )
)
