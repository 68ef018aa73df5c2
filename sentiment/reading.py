"""Stored words to readings: what the engine needs to know of a verbatim, and what reads the words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from core.quick import Compiled
from sentiment.chain import current_words
from sentiment.models import LearntHeads, Rereading, RereadingState
from sentiment.queries import names_of_staff
from surveys.models import Verbatim

if TYPE_CHECKING:
    from sentiment.engine import Reading

# Any number that nobody else locks by.
_EXCHANGE = 0x5EA7


@dataclass(frozen=True)
class Reader:
    """A model's name, empty for the one that the installation is set to, and what was learnt on top: the key of
    LearntHeads, None for the weights that the model is served with."""

    model: str = ""
    heads: int | None = None


def live_reader() -> Reader:
    """What head office last let go live."""
    newest = next(iter(_decided()), None)
    return Reader(newest.model, newest.heads_id) if newest else Reader()


# Asked for every comment that is stored.
_decided = Compiled(
    lambda: (
        Rereading.objects.filter(state__in=[RereadingState.GOING_LIVE, RereadingState.LIVE])
        .order_by("-decided_at")
        .only("model", "heads")[:1]
    )
)


def offered_heads() -> LearntHeads | None:
    """The newest that were learnt from corrections, unless something as new went live."""
    newest = LearntHeads.objects.defer("content").order_by("-pk").first()
    return newest if newest is not None and newest.pk > (live_reader().heads or 0) else None


def without_service(version: str) -> str:
    """The version of a reading's model, with the marks of what read with it, but of no service."""
    return version.partition("+service")[0]


def hold_reader(*, exchange: bool = False) -> None:
    """Until the transaction ends, nobody lets another reader go live; `exchange`: and nobody stores a reading."""
    kind = "" if exchange else "_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{kind}(%s)", [_EXCHANGE])


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
        model=reader.model or settings.SENTIMENT_MODEL or None,
        chain_words=current_words(),
        heads=learnt_heads(reader.heads),
    )
