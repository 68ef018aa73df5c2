"""Stored words to readings: what the engine needs to know of a verbatim, and what reads the words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction

from core.leases import ClockNow, from_now
from core.quick import Compiled
from core.tokens import keyed_hash
from sentiment.chain import current_words
from sentiment.keeping import LATELY, LOST, installed, name_of, note, place_of, version_of
from sentiment.models import Analysis, LearntHeads, Rereading, RereadingState, ServedModel
from sentiment.queries import names_of_staff
from surveys.models import Verbatim

if TYPE_CHECKING:
    from sentiment.engine import Reading

# How long head office is told of a model that a worker could not have.
_REMEMBERED = timedelta(days=1)
# Any number that nobody else locks by.
_EXCHANGE = 0x5EA7


@dataclass(frozen=True)
class Reader:
    """The name of a ServedModel, empty for what is installed where it is asked for, and what was learnt on top: the key
    of LearntHeads, None for the weights that the model is served with."""

    model: str = ""
    heads: int | None = None


def last_decision() -> Rereading | None:
    """The one by which new words are read; of its columns those that say by what."""
    return next(iter(_decided()), None)


def live_reader() -> Reader:
    """What head office last let go live."""
    newest = last_decision()
    return Reader(newest.model, newest.heads_id) if newest else Reader()


# Asked for every comment that is stored.
_decided = Compiled(
    lambda: (
        Rereading.objects.filter(state__in=[RereadingState.GOING_LIVE, RereadingState.LIVE])
        .order_by("-decided_at")
        .only("model", "heads", "model_version", "decided_at")[:1]
    )
)


def settled_reader() -> Reader:
    """What is live; where nothing was decided yet, what is installed here becomes so.

    Words that were read by another model are evidence of one that was live before its files were kept: then this one
    waits for a decision as any other, and reads in its absence only. Raises ModelMissing where it cannot be loaded.
    """
    reader, place = live_reader(), installed()[0]
    if reader.model or not name_of(place):
        return reader
    # Loads the model, which the web processes never need.
    from sentiment.classifier import get_classifier  # noqa: PLC0415

    name, version = name_of(place), version_of(place)
    read = Analysis.objects.filter(analysed_at__isnull=False).order_by("-pk").first()
    if read is not None and own_version(read.model_version) != own_version(version):
        version = without_service(read.model_version)
        name = f"{LOST}{version}"
    else:
        # Nobody has seen it read yet, and its files may still be on their way here.
        get_classifier(place)
    # All that takes long is done: nobody stores a reading meanwhile.
    with transaction.atomic():
        hold_reader(exchange=True)
        reader = live_reader()
        if not reader.model:
            Rereading.objects.create(
                model=name,
                heads_id=reader.heads,
                model_version=version,
                state=RereadingState.LIVE,
                decided_at=ClockNow(),
            )
    # After the decision, so that it is offered where another is live.
    note(place)
    return live_reader()


def waiting_model() -> ServedModel | None:
    """What is installed somewhere, also since something went live last, and is not live."""
    live = last_decision()
    seen = ServedModel.objects.filter(seen_at__gte=from_now(-LATELY))
    if live is not None:
        seen = seen.exclude(name=live.model).filter(seen_at__gt=live.decided_at)
    return seen.order_by("-seen_at").first()


def missed_lately() -> ServedModel | None:
    """The live model, where a worker could not have it and read with what it had."""
    missed = ServedModel.objects.filter(name=live_reader().model, missed_at__gte=from_now(-_REMEMBERED))
    return missed.first()


def with_learnt(model: ServedModel) -> Reader:
    """A reader by a model, with what was learnt for it, if that is live."""
    learnt = live_reader().heads
    fits = learnt and LearntHeads.objects.filter(pk=learnt, model_version=own_version(model.version)).exists()
    return Reader(model.name, learnt if fits else None)


def offered_heads() -> LearntHeads | None:
    """The newest that were learnt from corrections for the live model, unless something as new went live."""
    live = last_decision()
    learnt = LearntHeads.objects.defer("content").order_by("-pk")
    if live is not None and live.model_version:
        learnt = learnt.filter(model_version=own_version(live.model_version))
    newest = learnt.first()
    return newest if newest is not None and newest.pk > ((live and live.heads_id) or 0) else None


def without_service(version: str) -> str:
    """The version of a reading's model, with the marks of what read with it, but of no service."""
    return version.partition("+service")[0]


def own_version(version: str) -> str:
    """The version of our own model, without the marks of what read with it: none of that makes another embedding."""
    return version.partition("+")[0]


def hold_reader(*, exchange: bool = False) -> None:
    """Until the transaction ends, nobody lets another reader go live; `exchange`: and nobody stores a reading."""
    kind = "" if exchange else "_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{kind}(%s)", [_EXCHANGE])


def read_hash(verbatim: Verbatim) -> str:
    """Keyed, of all that a reading of the words depends on; `verbatim` brings its response."""
    return _read_hash(verbatim.text, belied=verbatim.response.belies_praise)


def read_hashes(text: str) -> tuple[str, str]:
    """What `read_hash` says of a text beside any other score, and beside one that belies praise."""
    return _read_hash(text, belied=False), _read_hash(text, belied=True)


def _read_hash(text: str, *, belied: bool) -> str:
    return keyed_hash("verbatim, praise belied" if belied else "verbatim", text)


def readings_of(verbatims: Sequence[Verbatim], reader: Reader) -> "list[Reading]":
    """Read words by the chain's own lists. `verbatims` bring their response, store and node; raises ModelMissing."""
    # Loads the model, which the web processes never need.
    from sentiment import engine  # noqa: PLC0415
    from sentiment.learning import learnt_heads  # noqa: PLC0415

    names = names_of_staff({v.response.store_id: v.response.store for v in verbatims}.values())
    return engine.read(
        [verbatim.text for verbatim in verbatims],
        page_languages=[verbatim.response.language or None for verbatim in verbatims],
        chain_languages=settings.VERBATIM_LANGUAGES,
        staff_names=[names[verbatim.response.store_id] for verbatim in verbatims],
        praise_belied=[verbatim.response.belies_praise for verbatim in verbatims],
        model=place_of(reader.model),
        chain_words=current_words(),
        heads=learnt_heads(reader.heads),
    )
