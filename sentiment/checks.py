"""What `manage.py check` says of the model that an operator has chosen."""

from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Warning, register

from sentiment.files import ModelMissing, check_place, is_own
from sentiment.keeping import installed


@register()
def the_chosen_model_is_here(**_options: Any) -> list[CheckMessage]:
    """A warning and no error: a node that only serves pages needs no model."""
    place = installed()[0]
    if place is None or is_own(Path(place)):
        return []
    try:
        check_place(place)
    except ModelMissing as error:
        hint = "Comments are read by the project's own model until SENTIMENT_MODEL names one that is here."
        return [Warning(f"SENTIMENT_MODEL: {error}.", hint=hint, id="sentiment.W001")]
    return []
