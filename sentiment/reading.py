"""Stored words to readings: what the engine needs to know of a verbatim, and which model and words are live."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings

from sentiment.chain import current_words
from sentiment.models import Rereading, RereadingState
from sentiment.queries import names_of_staff
from surveys.models import Verbatim

if TYPE_CHECKING:
    from sentiment.engine import Reading


def live_model() -> str:
    """The name of the model that head office last let go live; empty for the one that the installation is set to."""
    decided = Rereading.objects.filter(state__in=[RereadingState.GOING_LIVE, RereadingState.LIVE])
    return decided.order_by("-decided_at").values_list("model", flat=True).first() or ""


def readings_of(verbatims: Sequence[Verbatim], model: str) -> "list[Reading]":
    """Read words by the chain's own lists. `verbatims` bring their response, store and node; raises ModelMissing."""
    # Loads the model, which the web processes never need.
    from sentiment import engine  # noqa: PLC0415
    from sentiment.learning import current_heads  # noqa: PLC0415

    names = names_of_staff({v.response.store_id: v.response.store for v in verbatims}.values())
    return engine.read(
        [verbatim.text for verbatim in verbatims],
        page_languages=[verbatim.response.language or None for verbatim in verbatims],
        chain_languages=settings.VERBATIM_LANGUAGES,
        staff_names=[names[verbatim.response.store_id] for verbatim in verbatims],
        model=model or settings.SENTIMENT_MODEL or None,
        chain_words=current_words(),
        heads=current_heads(),
    )
