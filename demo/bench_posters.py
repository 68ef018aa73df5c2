"""What the benchmark of the posters works on: one touchpoint at each of thousands of stores."""

import time

from core.jobs import run_due
from core.models import Job, JobState
from core.tokens import typed_code
from stores.choices import TouchpointKind
from stores.models import Store, Touchpoint, User
from stores.posters.jobs import start_posters

LANGUAGES = (["uk", "en"], ["de"], ["fr", "de", "nl"], ["ar", "en"], ["pl"])


def make_touchpoints(number: int) -> list[int]:
    """An exit with a code at each of the first `number` stores that read different languages; their ids."""
    stores = list(Store.objects.filter(retired_at=None).order_by("pk")[:number])
    if len(stores) < number:
        raise RuntimeError(f"only {len(stores)} stores for {number} posters")
    for count, store in enumerate(stores):
        store.languages = LANGUAGES[count % len(LANGUAGES)]
    Store.objects.bulk_update(stores, ["languages"], batch_size=1000)
    spots = (Touchpoint(store=store, kind=TouchpointKind.EXIT, code=typed_code()) for store in stores)
    return [spot.pk for spot in Touchpoint.objects.bulk_create(spots, batch_size=1000)]


def poster_secs(ids: list[int], owner: User, *, format: str) -> tuple[float, int]:
    """How long the long job takes from being asked for to its last byte, and how large its file is."""
    began = time.perf_counter()
    job = start_posters(
        Touchpoint.objects.filter(pk__in=ids), owner=owner, format=format, marks=False, per_store=False, back_url=""
    )
    while run_due():
        pass
    secs = time.perf_counter() - began
    job = Job.objects.get(pk=job.pk)
    if job.state != JobState.DONE or job.done != len(ids):
        raise RuntimeError(f"the posters were not made: {job.state} {job.note}")
    return secs, sum(len(piece) for piece in job.read())
