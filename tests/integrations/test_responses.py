"""Reading responses: only those in reach, page by page, never the original words."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.choices import Scope
from sentiment.models import Analysis
from surveys.models import Response
from tests.factories import Chain, make_response, minutes_ago
from tests.integrations.conftest import Caller

pytestmark = pytest.mark.django_db
PATH = "/api/v1/responses/"


def read(response: Response, redacted: str) -> None:
    Analysis.objects.update_or_create(
        verbatim=response.verbatims.get(),
        defaults={
            "analysed_at": timezone.now(),
            "language": "en",
            "sentiment": "negative",
            "topics": [{"topic": "staff", "sentiment": "negative"}],
            "redacted": redacted,
        },
    )


def test_words_are_redacted_or_absent(chain: Chain, caller: Caller) -> None:
    done = make_response(touchpoint=chain.touchpoint, score=2, words="Call 0501234567", submitted_at=minutes_ago(2))
    make_response(touchpoint=chain.touchpoint, score=3, words="My number is 0507654321", submitted_at=minutes_ago(1))
    read(done, "Call [phone]")
    answer = caller.get(PATH)
    assert answer.status_code == 200
    assert "0501234567" not in answer.content.decode() and "0507654321" not in answer.content.decode()
    first, second = answer.json()["results"]
    assert first["id"] == str(done.pk)
    assert (first["store"], first["touchpoint"], first["question"], first["score"]) == ("KY1", "till", "nps", 2)
    assert first["comments"] == [
        {
            "text": "Call [phone]",
            "language": "en",
            "sentiment": "negative",
            "topics": [{"topic": "staff", "sentiment": "negative"}],
            "urgency": [],
        }
    ]
    assert second["comments"] == []


def test_only_the_keys_stores(chain: Chain, make_caller: Callable[..., Caller]) -> None:
    make_response(touchpoint=chain.touchpoint, score=2)
    make_response(touchpoint=chain.foreign_touchpoint, score=3)
    narrow = make_caller(Scope.RESPONSES_READ, node=chain.area)
    assert [r["score"] for r in narrow.get(PATH).json()["results"]] == [2]
    assert narrow.get(PATH, store="LV1").status_code == 400
    assert [r["score"] for r in narrow.get(PATH, store="KY1").json()["results"]] == [2]


def test_since(chain: Chain, caller: Caller) -> None:
    make_response(touchpoint=chain.touchpoint, score=2, submitted_at=minutes_ago(60))
    make_response(touchpoint=chain.touchpoint, score=9, submitted_at=minutes_ago(5))
    since = (timezone.now() - timedelta(minutes=30)).isoformat()
    assert [r["score"] for r in caller.get(PATH, since=since).json()["results"]] == [9]
    assert caller.get(PATH, since="yesterday").status_code == 400


def test_pages_neither_skip_nor_repeat(chain: Chain, caller: Caller) -> None:
    moment = minutes_ago(10)
    made = {str(make_response(touchpoint=chain.touchpoint, score=n % 11, submitted_at=moment).pk) for n in range(23)}
    seen: list[str] = []
    answer = caller.get(PATH, page_size=5).json()
    while True:
        seen += [r["id"] for r in answer["results"]]
        if not answer["next"]:
            break
        answer = caller.client.get(answer["next"], headers=caller.headers).json()
    assert len(seen) == 23 and set(seen) == made


@pytest.mark.parametrize("cursor", ["x", "cD1ub3BlIQ==", "cD0lMDA=", "cD0yMDI2"])
def test_made_up_cursors_are_refused(caller: Caller, cursor: str) -> None:
    answer = caller.get(PATH, cursor=cursor)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("query", [{"store": "a\x00b"}, {"page_size": "-1"}, {"page_size": "99999999999999999999"}])
def test_odd_queries_are_no_failure_of_ours(caller: Caller, query: dict[str, str]) -> None:
    assert caller.get(PATH, **query).status_code in (200, 400)


def test_few_statements_however_many(chain: Chain, caller: Caller, django_assert_max_num_queries: Any) -> None:
    for n in range(10):
        make_response(touchpoint=chain.touchpoint, score=n, words=f"number {n}")
    with django_assert_max_num_queries(6):
        assert len(caller.get(PATH).json()["results"]) == 10
