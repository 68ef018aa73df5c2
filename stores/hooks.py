"""What rooms further down show on a store's page, and count before stores are moved. Stores do not know them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from stores.models import Store, User


@dataclass(frozen=True)
class Panel:
    """A part of a store's page: a template of the room that shows it, with its own context."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


PanelMaker = Callable[[User, Store], Panel | None]
WorkCounter = Callable[[QuerySet[Store]], int]
_panels: list[PanelMaker] = []
_counters: list[WorkCounter] = []


def register_panel(maker: PanelMaker) -> PanelMaker:
    """Show a panel on every store's page; the maker returns None to a reader for whom there is nothing."""
    if maker not in _panels:
        _panels.append(maker)
    return maker


def register_open_work(counter: WorkCounter) -> WorkCounter:
    """Count what is open at some stores and would be somebody else's after a move."""
    if counter not in _counters:
        _counters.append(counter)
    return counter


def panels_of(user: User, store: Store) -> list[Panel]:
    """What the other rooms have to say about the store, to this reader."""
    return [panel for maker in _panels if (panel := maker(user, store)) is not None]


def open_work(stores: QuerySet[Store]) -> int:
    """How many cases are open at these stores."""
    return sum(counter(stores) for counter in _counters)
