"""What a rule would have done: the same as it does, and quickly."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from alerts.models import Rule
from alerts.preview import preview_rule
from sentiment.models import Analysis
from sentiment.topics import TOPICS
from stores.choices import NodeKind
from surveys.choices import QuestionKind, ResponseChannel
from surveys.models import Invitation, Response
from tests.alerts.conftest import give_contact, submit
from tests.factories import Chain, make_node, make_response, make_store, make_touchpoint
from tests.timing import cpu_secs


def rule_with(conditions: dict[str, Any], **more: Any) -> Rule:
    return Rule(name="Tried", conditions=conditions, order=1000, **more)


def read(response: Response, **reading: Any) -> None:
    content: dict[str, Any] = {"analysed_at": timezone.now(), "run_at": None, "confident": True, "proven": True}
    content |= {"sentiment": "neutral"}
    content |= {"p_negative": 0.1, "p_neutral": 0.8, "p_positive": 0.1}
    Analysis.objects.update_or_create(verbatim=response.verbatims.get(), defaults=content | reading)


def test_new_cases_earlier_rules_regions_and_words(chain: Chain) -> None:
    region = make_node(kind=NodeKind.REGION, name="North", parent=chain.root)
    north = make_touchpoint(store=make_store(node=region, code="N1"))
    submit(make_response(touchpoint=chain.touchpoint, score=2, words="The queue was long"))
    make_response(touchpoint=north, score=8, words="<b>quite</b> all right")
    make_response(touchpoint=north, score=7)
    make_response(touchpoint=north, score=9)
    make_response(touchpoint=north, score=1, submitted_at=timezone.now() - timedelta(days=31))
    found = preview_rule(rule_with({"scores": {"nps": [0, 8]}}), chain.head_office)
    assert (found.looked_at, found.matched, found.new, found.earlier) == (4, 3, 2, 1)
    assert found.regions == [("North", 2), ("Kyiv", 1)]
    assert {example.words for example in found.examples} == {"The queue was long", "<b>quite</b> all right"}


def test_nobody_sees_more_than_theirs(chain: Chain) -> None:
    make_response(touchpoint=chain.touchpoint, score=1, words="Here it was")
    make_response(touchpoint=chain.foreign_touchpoint, score=1, words="There it was")
    found = preview_rule(rule_with({"unhappy": True}), chain.area_manager)
    assert found.matched == 1
    assert [example.words for example in found.examples] == ["Here it was"]


def test_earlier_cases_of_a_verified_shopper(chain: Chain) -> None:
    def invited(score: int, days_ago: int) -> Response:
        response = make_response(
            touchpoint=chain.touchpoint, score=score, submitted_at=timezone.now() - timedelta(days=days_ago)
        )
        give_contact(response, "again@example.org")
        response.invitation = Invitation.objects.create(
            channel=ResponseChannel.RECEIPT,
            store=chain.store,
            contact=response.contact,
            expires_at=timezone.now() + timedelta(days=1),
        )
        response.save()
        return response

    first = submit(invited(1, 20))
    assert first
    type(first).objects.update(opened_at=timezone.now() - timedelta(days=20), state="confirmed")
    invited(8, 3)
    conditions = {"scores": {"nps": [7, 8]}, "repeat": {"cases": 1, "days": 25}}
    assert preview_rule(rule_with(conditions), chain.head_office).matched == 1
    conditions["repeat"] = {"cases": 1, "days": 10}
    assert preview_rule(rule_with(conditions), chain.head_office).matched == 0
    # The engine sees the same.
    rule_with({"scores": {"nps": [7, 8]}, "repeat": {"cases": 1, "days": 25}}, trigger="score").save()
    case = submit(invited(8, 0))
    assert case and case.rule_name == "Tried"
    # An address that anybody can type pulls in no history.
    typed = give_contact(make_response(touchpoint=chain.foreign_touchpoint, score=8), "again@example.org")
    assert submit(typed) is None


CONDITIONS: list[dict[str, Any]] = [
    {"unhappy": True},
    {"unhappy": False},
    {"scores": {"nps": [3, 7], "smiley5": [2, 2]}},
    {"scores": {"till": [0, 3]}},
    {"still_here": True, "channels": ["qr"]},
    {"alarming": True},
    {"alarming": False},
    {"sentiment": {"negative": 0.6}},
    {"sentiment": {"positive": 0.5}, "unhappy": True},
    {"urgency": []},
    {"urgency": ["fraud", "legal"], "urgency_certain": True},
    {"topics": ["staff", "waiting"]},
    {"topics": ["staff"], "topics_negative": True},
    {"words": ["queu", "guard ... hit"]},
    {"store_kinds": ["call_centre"]},
]


@pytest.fixture
def answers(chain: Chain) -> list[Response]:
    chance = random.Random(7)
    made = []
    for number in range(80):
        kind = chance.choice([QuestionKind.NPS, QuestionKind.SMILEY5])
        touchpoint = chance.choice([chain.touchpoint, chain.foreign_touchpoint])
        words = chance.choice(["", "The queue was long", "The guard really hit me", "Ok", "All was fine today"])
        response = make_response(
            touchpoint=touchpoint,
            score=chance.choice([None, *range(1, 6)]),
            headline_kind=kind,
            words=words,
            channel=chance.choice(list(ResponseChannel)),
        )
        response.still_here = chance.random() < 0.3
        response.answers["till"] = number % 7
        response.save()
        if words:
            negative = chance.random()
            topics = [{"topic": one, "sentiment": chance.choice(["negative", "positive"])} for one in TOPICS[:3]]
            read(
                response,
                p_negative=negative,
                p_positive=1 - negative,
                confident=chance.random() < 0.7,
                proven=chance.random() < 0.7,
                model_version=chance.choice(["own", "own", "own+service"]),
                alarming=chance.random() < 0.5,
                urgency=chance.choice([[], ["fraud"], ["safety", "legal"]]),
                urgency_certain=chance.random() < 0.5,
                topics=chance.sample(topics, chance.randrange(3)),
            )
        made.append(response)
    return made


def test_what_the_database_leaves_out_never_matches(
    chain: Chain, answers: list[Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing left out by the database the answer is the same, for every condition."""
    from django.db.models import Q

    narrow = {str(one): preview_rule(rule_with(one), chain.head_office).matched for one in CONDITIONS}
    monkeypatch.setattr("alerts.preview._narrowed", lambda *_: Q())
    monkeypatch.setattr("alerts.preview._narrowed_by_words", lambda *_: Q())
    assert {str(one): preview_rule(rule_with(one), chain.head_office).matched for one in CONDITIONS} == narrow
    assert sum(bool(number) for number in narrow.values()) >= len(CONDITIONS) - 1


def test_the_page_shows_it_before_saving(office: Client, chain: Chain) -> None:
    make_response(touchpoint=chain.touchpoint, score=8, words="<script>x</script> meh")
    data = {
        "name": "Lukewarm",
        "active": "on",
        "severity": "normal",
        "level": "0",
        "score_nps_0": "7",
        "score_nps_1": "8",
    }
    page = office.post("/setup/rules/new/", data | {"try": "1"}).content.decode()
    assert "This rule would have held for <b>1</b> of 1 answers." in page
    assert "&lt;script&gt;" in page and "<script>x" not in page
    assert not Rule.objects.filter(name="Lukewarm").exists()


def test_many_answers_take_little_time(chain: Chain) -> None:
    make_response(touchpoint=chain.touchpoint, score=0)
    with connection.cursor() as cursor:
        # The rows fit by themselves; checking so for each takes minutes.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            """
            INSERT INTO surveys_response
            SELECT (jsonb_populate_record(one, jsonb_build_object(
                'id', gen_random_uuid(), 'token_hash', n::text, 'score', n % 11,
                'submitted_at', now() - n * interval '20 seconds'))).*
            FROM surveys_response one, generate_series(2, 5000) n
            """
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    unhappy = rule_with({"unhappy": True})
    assert preview_rule(unhappy, chain.head_office).matched > 3_000
    # Measured: two seconds for a hundred thousand.
    assert cpu_secs(lambda: preview_rule(unhappy, chain.head_office)) < 3
