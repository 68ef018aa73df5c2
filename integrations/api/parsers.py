"""Bodies of requests."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# No request of the API comes near it.
_DEEPEST = 20


class ShallowJSONParser(JSONParser):
    """Refuses what is nested so deeply that reading it, or writing it down again, would run out of stack."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(_("This JSON is nested too deeply.")) from None
        if _is_deeper(data, _DEEPEST):
            raise ParseError(_("This JSON is nested too deeply."))
        return data


def _is_deeper(data: Any, levels: int) -> bool:
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return levels < 0 or any(_is_deeper(one, levels - 1) for one in inner)
