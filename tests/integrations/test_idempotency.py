"""A request that is sent twice, or twenty times at once, is one piece of work (RELIABILITY I2)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.choices import Scope
from integrations.idempotency import KEPT_FOR, _lock
from integrations.models import ApiKey, IdempotentAnswer
from surveys.models import Invitation
from tests.factories import Chain
from tests.integrations.conftest import Caller
from tests.integrations.test_receipts_and_calls import RECEIPTS, receipt


@pytest.mark.django_db
@pytest.mark.parametrize("key", [None, "", "x" * 256, "tab\there"])
def test_a_key_is_needed(caller: Caller, key: str | None) -> None:
    assert caller.post(RECEIPTS, receipt(), key=key).status_code == 400
    assert not Invitation.objects.exists()


@pytest.mark.django_db
def test_the_answer_is_repeated_whatever_the_spelling(caller: Caller) -> None:
    body = receipt()
    first = caller.post(RECEIPTS, body, key="k")
    again = caller.post(RECEIPTS, dict(reversed(body.items())), key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "Idempotent-Replayed" not in first and again["Idempotent-Replayed"] == "true"
    assert first.json()["survey_url"] not in str(IdempotentAnswer.objects.values_list("pk", "key", "fingerprint"))


@pytest.mark.django_db
def test_the_key_of_another_request_is_refused(caller: Caller) -> None:
    caller.post(RECEIPTS, receipt(), key="k")
    assert caller.post(RECEIPTS, receipt(number="other"), key="k").status_code == 422
    assert caller.post("/api/v1/calls/", receipt(), key="k").status_code == 422
    assert Invitation.objects.count() == 1


@pytest.mark.django_db
def test_keys_of_two_systems_are_apart(caller: Caller, chain: Chain) -> None:
    other = Caller(ApiKey.create("other", [Scope.RECEIPTS_WRITE])[1])
    assert caller.post(RECEIPTS, receipt(), key="k").status_code == 201
    assert other.post(RECEIPTS, receipt(number="other"), key="k").status_code == 201


@pytest.mark.django_db
def test_it_is_forgotten_after_two_days(caller: Caller) -> None:
    caller.post(RECEIPTS, receipt(), key="k")
    IdempotentAnswer.objects.update(created_at=timezone.now() - KEPT_FOR + timedelta(hours=1))
    assert caller.post(RECEIPTS, receipt(number="other"), key="k").status_code == 422
    IdempotentAnswer.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(hours=1))
    assert caller.post(RECEIPTS, receipt(number="other"), key="k").status_code == 201
    assert IdempotentAnswer.objects.count() == 1


@pytest.mark.django_db
def test_the_stored_answer_is_ciphertext(caller: Caller) -> None:
    from django.db import connection

    url = caller.post(RECEIPTS, receipt(), key="k").json()["survey_url"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM integrations_idempotentanswer")
        assert url not in cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_worked_on_the_second_is_told(caller: Caller) -> None:
    from django.db import transaction

    key = ApiKey.objects.get()
    with transaction.atomic():
        assert _lock(f"{key.pk} k")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(in_thread, caller, receipt(), "k").result()
        assert (answer.status_code, answer["Retry-After"]) == (409, "1")
    assert caller.post(RECEIPTS, receipt(), key="k").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_one(caller: Caller) -> None:
    body, barrier = receipt(), Barrier(20)

    def send(_: int) -> tuple[int, str]:
        barrier.wait()
        answer = in_thread(caller, body, "k")
        return answer.status_code, answer.json().get("survey_url", "")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    statuses = Counter(status for status, _url in answers)
    assert set(statuses) <= {201, 409} and statuses[201] >= 1
    assert len({url for status, url in answers if status == 201}) == 1
    assert Invitation.objects.count() == IdempotentAnswer.objects.count() == 1


def in_thread(caller: Caller, body: object, key: str) -> Any:
    try:
        return caller.post(RECEIPTS, body, key=key)
    finally:
        connections.close_all()
