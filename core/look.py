"""How the chain looks: its name, its two colours and its logo, as head office chose them on its page.

Where nothing was chosen there, the installation's settings hold (`CHAIN_ACCENT`, `CHAIN_SECOND`, `CHAIN_LOGO`). The row
is read again every few seconds, so that no page costs a query for it and every process follows soon.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache

import structlog
from django.conf import settings
from django.db import Error

from core.logo import BadLogo, PageLogo, chain_logo, page_logo
from core.models import ChainLook

log = structlog.get_logger()
_FRESH_SECS = 10.0


@dataclass(frozen=True)
class Look:
    """`accent` and `second` are `#rrggbb`; they are the same where there is no second colour. `logo` is SVG or ""."""

    name: str
    accent: str
    second: str
    logo: str = ""

    @property
    def has_second(self) -> bool:
        return self.second != self.accent

    @property
    def page_logo(self) -> PageLogo | None:
        """The logo as a page bears it; None where the name stands in its place."""
        return _on_pages(self.logo) if self.logo else None


@lru_cache(maxsize=4)
def _on_pages(svg: str) -> PageLogo | None:
    """Also that a logo is none for pages is found out once: to draw it takes long, and every page asks."""
    try:
        return page_logo(svg)
    except BadLogo as error:
        log.error("logo left out of pages", reason=str(error))
        return None


_wearing: ContextVar[Look | None] = ContextVar("wearing", default=None)
_chosen: Look | None = None
_read_at: float | None = None


def look() -> Look:
    """The look that holds now."""
    worn = _wearing.get()
    if worn is not None:
        return worn
    if _read_at is None or time.monotonic() - _read_at > _FRESH_SECS:
        _read()
    return _chosen or _by_settings()


@contextmanager
def wearing(one: Look) -> Iterator[None]:
    """Have `look()` answer with another one: for showing what is not chosen yet."""
    token = _wearing.set(one)
    try:
        yield
    finally:
        _wearing.reset(token)


def forget() -> None:
    """Another look was chosen: read it with the next page."""
    global _read_at
    _read_at = None


def assume_nothing_chosen() -> None:
    """For tests: the settings hold, and the database is not asked."""
    global _chosen, _read_at
    _chosen, _read_at = None, float("inf")


def look_of(row: ChainLook) -> Look:
    """What a row says."""
    return Look(settings.CHAIN_NAME, row.accent, row.second or row.accent, row.logo)


def _read() -> None:
    global _chosen, _read_at
    try:
        row = ChainLook.objects.exclude(chosen_at=None).order_by("-chosen_at", "-pk").first()
    except Error:
        # Away or not set up yet: a page in yesterday's colour is better than none.
        row, known = None, _chosen
    else:
        known = look_of(row) if row else None
    _chosen, _read_at = known, time.monotonic()


def _by_settings() -> Look:
    found = Look(settings.CHAIN_NAME, settings.CHAIN_ACCENT.lower(), settings.CHAIN_SECOND.lower())
    try:
        return replace(found, logo=chain_logo(settings.CHAIN_LOGO))
    except BadLogo as error:
        log.error("logo left out", reason=str(error))
        return found
