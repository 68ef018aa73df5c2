"""Every column that can hold words is either registered as personal, with its end, or declared impersonal."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.models import Session
from django.db import models
from django.test import Client
from django.utils import timezone

from core import schedules
from core.personal import impersonal_fields, personal_fields
from core.retention import purge
from customers.models import Contact, ContactKind
from surveys.models import Response, ResponseRevision, Verbatim
from tests.factories import Chain, make_response

OURS = {"core", "stores", "customers", "messaging", "surveys", "sentiment", "alerts", "integrations", "reports"}
# Written by us, for us: process names.
IMPERSONAL = {"core.Heartbeat.name"}


def _holds_words(field: models.Field) -> bool:  # type: ignore[type-arg]
    if isinstance(field, ArrayField):
        return _holds_words(field.base_field)
    return isinstance(field, models.CharField | models.TextField | models.JSONField | models.BinaryField)


def columns() -> set[str]:
    return {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for field in model._meta.concrete_fields
        if _holds_words(field) and not isinstance(field, models.BinaryField)
    }


def test_every_column_of_words_is_registered_or_declared_impersonal() -> None:
    assert columns() - set(personal_fields()) - impersonal_fields() - IMPERSONAL == set()


def test_no_column_is_both_and_none_is_made_up() -> None:
    assert set(personal_fields()) & impersonal_fields() == set()
    for column in set(personal_fields()) | impersonal_fields():
        label, _, name = column.rpartition(".")
        apps.get_model(label)._meta.get_field(name)


def test_every_limited_column_knows_its_age() -> None:
    for field in personal_fields().values():
        if field.keep_for is not None:
            label, _, name = field.column.rpartition(".")
            model = apps.get_model(label)
            assert isinstance(model._meta.get_field(field.aged_by), models.DateField)
            assert field.erasure == "delete row" or not model._meta.get_field(name).null


def test_what_is_old_is_blanked_and_the_rest_stays(chain: Chain) -> None:
    old, fresh = (make_response(touchpoint=chain.touchpoint, score=3, words="Olena was rude") for _ in range(2))
    contact = Contact.create(ContactKind.PHONE, "+380671234567")
    ResponseRevision.objects.create(response=old, number=1, answers={"reason": "Olena was very rude"}, score=2)
    ages = timezone.now() - timedelta(days=1100)
    Response.objects.filter(pk=old.pk).update(submitted_at=ages, contact=contact)
    Verbatim.objects.filter(response=old).update(created_at=ages)
    Contact.objects.update(created_at=ages)
    ResponseRevision.objects.update(replaced_at=ages)

    changed = purge()
    assert changed["surveys.Response"] == changed["surveys.Verbatim"] == 1
    old.refresh_from_db()
    contact.refresh_from_db()
    assert (old.answers, old.score) == ({}, 3)
    assert (contact.value, contact.value_hash) == ("", "")
    assert Verbatim.objects.get(response=old).text == ""
    assert not ResponseRevision.objects.exists()
    assert Verbatim.objects.get(response=fresh).text == "Olena was rude"
    assert not any(purge().values())


def test_sessions_that_ran_out_end(chain: Chain) -> None:
    old, fresh = Client(), Client()
    for client in (old, fresh):
        client.force_login(chain.manager)
    Session.objects.filter(pk=old.session.session_key).update(expire_date=timezone.now() - timedelta(days=1))
    schedules.purge()
    assert [session.pk for session in Session.objects.all()] == [fresh.session.session_key]


@pytest.mark.django_db
def test_schedules_and_first_rules_come_with_the_tables() -> None:
    from django_q.models import Schedule

    from alerts.models import Rule

    assert {"canary", "retention"} <= set(Schedule.objects.values_list("name", flat=True))
    assert Rule.objects.count() >= 4
