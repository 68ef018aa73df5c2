"""Personal fields end when their time is over, by the registry of `core.personal`."""

from collections.abc import Iterator
from itertools import groupby

import structlog
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.leases import from_now
from core.personal import PersonalField, personal_fields

log = structlog.get_logger()


def purge() -> dict[str, int]:
    """Apply every `keep_for`. Returns how many rows were changed, by model; running it again changes nothing more."""
    changed = {}
    for label, fields in groupby(sorted(_limited(), key=lambda field: field.column), key=_model_of):
        model = apps.get_model(label)
        changed[label] = sum(_apply(model, field) for field in fields)
    log.info("retention", **{label.replace(".", "_"): count for label, count in changed.items()})
    return changed


def _limited() -> Iterator[PersonalField]:
    return (field for field in personal_fields().values() if field.keep_for is not None)


def _model_of(field: PersonalField) -> str:
    return field.column.rpartition(".")[0]


def _apply(model: type[models.Model], field: PersonalField) -> int:
    assert field.keep_for is not None
    old = model._default_manager.filter(**{f"{field.aged_by}__lt": from_now(-field.keep_for)})
    if field.erasure == "delete row":
        return old.delete()[0]
    name = field.column.rpartition(".")[2]
    blank = _blank(model._meta.get_field(name))
    return old.exclude(Q(**{name: blank})).update(**{name: blank})


def _blank(field: object) -> object:
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, ArrayField):
        return []
    return b"" if isinstance(field, models.BinaryField) else ""
