"""Changing the replies and root causes of the chain, each change on record at the top of the tree."""

from typing import Any, TypeVar

from django.conf import settings
from django.db import models, transaction

from alerts.models import ReplyTemplate, ReplyText, RootCause
from stores.choices import ChangeKind
from stores.models import Node, User
from stores.recording import change, record

REPLY, CAUSE = "reply", "root_cause"
Texts = dict[str, tuple[str, str]]


def _note(actor: User, what: str, kind: ChangeKind, old: dict[str, Any], new: dict[str, Any]) -> None:
    top = Node.objects.filter(parent=None).order_by("pk").first()
    if top is not None:
        record(change(top, actor=actor, what=what, kind=kind, old=old, new=new))


def _title(texts: Texts) -> str:
    first = texts.get(settings.LANGUAGE_CODE) or next(iter(texts.values()), ("", ""))
    return first[0]


@transaction.atomic
def save_reply(template: ReplyTemplate | None, *, topic: str, texts: Texts, actor: User) -> ReplyTemplate:
    """Write a reply anew, or add one at the end of the list."""
    kind = ChangeKind.CHANGED if template else ChangeKind.CREATED
    template = template or ReplyTemplate(order=_last(ReplyTemplate) + 10)
    old = _as_json(template) if template.pk else {}
    template.topic = topic
    template.save()
    template.texts.exclude(language__in=texts).delete()
    for language, (title, text) in texts.items():
        ReplyText.objects.update_or_create(
            template=template, language=language, defaults={"title": title, "text": text}
        )
    _note(actor, REPLY, kind, old, {"topic": topic, "name": _title(texts), "languages": sorted(texts)})
    return template


def _as_json(template: ReplyTemplate) -> dict[str, Any]:
    texts = {text.language: (text.title, text.text) for text in template.texts.all()}
    return {"topic": template.topic, "name": _title(texts), "languages": sorted(texts)}


@transaction.atomic
def save_cause(cause: RootCause | None, *, names: dict[str, str], actor: User) -> RootCause:
    """Rename a root cause in each language, or add one. Cases that bear it bear the new name."""
    kind = ChangeKind.CHANGED if cause else ChangeKind.CREATED
    old = {"name": cause.name} | cause.names if cause else {}
    if cause is None:
        cause = RootCause(name=names[settings.LANGUAGE_CODE], order=_last(RootCause) + 10)
    cause.names = {language: name for language, name in names.items() if name}
    cause.save()
    _note(actor, CAUSE, kind, old, {"name": cause.name} | cause.names)
    return cause


@transaction.atomic
def set_active(row: ReplyTemplate | RootCause, *, active: bool, actor: User) -> None:
    """Retire an entry, which keeps it where it was used, or take that back."""
    if row.active == active:
        return
    row.active = active
    row.save(update_fields=["active"])
    kind = ChangeKind.RESTORED if active else ChangeKind.RETIRED
    _note(actor, CAUSE if isinstance(row, RootCause) else REPLY, kind, {}, {"name": str(_name(row))})


def _name(row: ReplyTemplate | RootCause) -> str:
    return row.name if isinstance(row, RootCause) else _as_json(row)["name"]


Listed = TypeVar("Listed", ReplyTemplate, RootCause)


@transaction.atomic
def move(row: Listed, *, by: int) -> None:
    """Exchange places with the neighbour above (-1) or below (1); at an end nothing happens."""
    model = type(row)
    rows = list(model.objects.select_for_update().filter(active=row.active).order_by("order", "pk"))
    here = next(number for number, one in enumerate(rows) if one.pk == row.pk)
    there = here + by
    if not 0 <= there < len(rows):
        return
    rows[here], rows[there] = rows[there], rows[here]
    for number, one in enumerate(rows, start=1):
        one.order = number * 10
    model.objects.bulk_update(rows, ["order"])


def _last(model: type[models.Model]) -> int:
    return model._default_manager.aggregate(last=models.Max("order"))["last"] or 0
