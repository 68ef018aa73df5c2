"""The registry of personal fields: for each column that may hold something about a person, how long it is kept and
what erasing does to it.

Every room registers its own in `personal.py`; a test walks all text and JSON columns of all our models and fails on
one that is neither registered nor declared impersonal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

Erasure = Literal["blank", "delete row", "keep"]


@dataclass(frozen=True)
class PersonalField:
    """`column` is `app.Model.field`; `keep_for` None means as long as the row lives; `why` says what it is for.

    The age of a row is counted from its column `aged_by`.
    """

    column: str
    erasure: Erasure
    keep_for: timedelta | None
    why: str
    aged_by: str = "created_at"


_fields: dict[str, PersonalField] = {}
_impersonal: set[str] = set()
_erasers: list[Callable[[UUID], None]] = []


def register(
    model: str,
    *columns: str,
    erasure: Erasure,
    keep_for: timedelta | None = None,
    why: str,
    aged_by: str = "created_at",
) -> None:
    """Declare personal columns of `model` (`app.Model`)."""
    for column in columns:
        name = f"{model}.{column}"
        _fields[name] = PersonalField(name, erasure, keep_for, why, aged_by)


def impersonal(model: str, *columns: str) -> None:
    """Declare text or JSON columns of `model` that say nothing about a person."""
    _impersonal.update(f"{model}.{column}" for column in columns)


def on_erase(eraser: Callable[[UUID], None]) -> Callable[[UUID], None]:
    """Register what a room does when the response with this id is erased. Runs inside the caller's transaction."""
    if eraser not in _erasers:
        _erasers.append(eraser)
    return eraser


def erase_response(response_id: UUID) -> None:
    """Blank the words and identities of one response in every room; scores and topic counts stay."""
    for eraser in _erasers:
        eraser(response_id)


def personal_fields() -> dict[str, PersonalField]:
    return dict(_fields)


def impersonal_fields() -> set[str]:
    return set(_impersonal)
