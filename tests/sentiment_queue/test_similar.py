"""Comments like another: by meaning, across languages, within the reader's scope, and none rather than any."""

import tomllib
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.test import Client
from django.utils import timezone

from core.work import drain
from sentiment.engine import read
from sentiment.models import Analysis
from sentiment.similar import LIKE, Point, closest, point_of, similar_to
from sentiment.topic_evaluation import read_sets
from sentiment.training.vocabulary import PRODUCT
from stores.models import Touchpoint, User
from stores.queries import stores_visible_to
from surveys.choices import STAFF_FLAG
from surveys.models import Response, Verbatim
from tests.factories import Chain, make_response, make_touchpoint
from tests.sentiment_queue.test_queue import submit
from tests.timing import cpu_secs

QUEUE = "The queue at the till was far too long, we waited for half an hour."


def said(touchpoint: Touchpoint, vector: np.ndarray, words: str = "Words of three", **reading: object) -> Verbatim:
    """A comment that was read, like `vector`."""
    verbatim = make_response(touchpoint=touchpoint, score=5, words=words).verbatims.get()
    unit = np.rint(vector / np.linalg.norm(vector) * 127).astype(np.int8).tobytes()
    values = {"model_version": "m1", "confident": True, "embedding": unit, "analysed_at": timezone.now()} | reading
    Analysis.objects.create(verbatim=verbatim, run_at=None, **values)
    return verbatim


def like(cosine: float, size: int = 32) -> np.ndarray:
    """A vector with this cosine to `like(1)`."""
    vector = np.zeros(size)
    vector[0], vector[1] = cosine, np.sqrt(max(0, 1 - cosine**2))
    return vector


def seen(user: User, verbatim: Verbatim) -> list[int]:
    return [one.verbatim.pk for one in similar_to(verbatim, stores_visible_to(user))]


def test_the_real_model_finds_the_same_matter_in_another_language(chain: Chain) -> None:
    first = submit(chain, QUEUE, score=9).verbatims.get()
    german = submit(chain, "Die Schlange an der Kasse war viel zu lang, wir haben eine halbe Stunde gewartet.", score=9)
    submit(chain, "The ring is beautiful and my wife loves it.", score=9)
    drain(["analysis"])
    [found] = similar_to(Verbatim.objects.get(pk=first.pk), stores_visible_to(chain.manager))
    assert found.verbatim.response_id == german.pk
    assert found.how in {"similar", "very similar"}


def test_the_most_alike_come_first_and_nothing_below_the_threshold(chain: Chain) -> None:
    of = said(chain.touchpoint, like(1))
    expected = [said(chain.touchpoint, like(cosine)).pk for cosine in (0.99, 0.97, 0.95, 0.93, 0.92, 0.915)]
    said(chain.touchpoint, like(LIKE - 0.02))
    assert seen(chain.manager, of) == expected[:5]
    alone = said(chain.touchpoint, -like(1))
    assert seen(chain.manager, alone) == []


def test_nobody_is_shown_what_lies_outside_their_scope(chain: Chain) -> None:
    of = said(chain.touchpoint, like(1))
    neighbour = said(make_touchpoint(store=chain.neighbour), like(0.97)).pk
    foreign = said(chain.foreign_touchpoint, like(0.98)).pk
    assert seen(chain.manager, of) == []
    assert seen(chain.area_manager, of) == [neighbour]
    assert seen(chain.head_office, of) == [foreign, neighbour]
    assert seen(chain.nobody, of) == []


def test_what_staff_tried_out_is_left_out(chain: Chain) -> None:
    of, trial = said(chain.touchpoint, like(1)), said(chain.touchpoint, like(0.99))
    assert seen(chain.manager, of) == [trial.pk]
    Response.objects.filter(pk=trial.response_id).update(flags=[STAFF_FLAG])
    assert seen(chain.manager, of) == []


def test_what_cannot_be_compared_is_not(chain: Chain) -> None:
    of = said(chain.touchpoint, like(1))
    said(chain.touchpoint, like(0.99), model_version="m2")
    said(chain.touchpoint, like(0.99), confident=False)
    said(chain.touchpoint, like(0.99, size=16))
    said(chain.touchpoint, like(0.99), embedding=b"")
    old = said(chain.touchpoint, like(0.99))
    Response.objects.filter(pk=old.response_id).update(submitted_at=timezone.now() - timedelta(weeks=14))
    erased = said(chain.touchpoint, like(0.99))
    Response.objects.filter(pk=erased.response_id).update(erased_at=timezone.now())
    assert seen(chain.manager, of) == []
    assert seen(chain.manager, said(chain.touchpoint, like(1), embedding=b"")) == []
    assert (
        seen(chain.manager, make_response(touchpoint=chain.touchpoint, score=1, words="Unread").verbatims.get()) == []
    )


def test_pages_show_them_to_whom_they_may(chain: Chain, client: Client) -> None:
    of = said(chain.touchpoint, like(1), "Waited long at the till")
    other = said(make_touchpoint(store=chain.neighbour), like(0.97), "Stood in line <i>for ever</i>")
    for reader, shown in ((chain.manager, False), (chain.area_manager, True)):
        client.force_login(reader)
        page = client.get(f"/verbatims/{of.pk}/").content.decode()
        assert ("Similar comments" in page) == shown
        assert (f'href="/verbatims/{other.pk}/"' in page) == shown
        assert ("Stood in line &lt;i&gt;" in page) == shown


def points_of(texts: list[str]) -> list[Point]:
    readings = read(texts, page_languages=[None] * len(texts), chain_languages=PRODUCT)
    return [point_of(one.embedding, one.language, [asdict(hit) for hit in one.topics]) for one in readings]


def test_one_matter_is_told_from_others_across_languages() -> None:
    """Each comment on twenty matters looks for its like among the others and comments of every kind."""
    matters = tomllib.loads((Path(__file__).parent / "matters.toml").read_text(encoding="utf-8"))
    names = [name for name, texts in matters.items() for _text in texts]
    others = [comment.text for comment in read_sets()[::2]]
    points = points_of([text for texts in matters.values() for text in texts] + others)
    found, wrong, pairs = 0, 0, 0
    for i, name in enumerate(names):
        near = {pk for pk, _cosine in closest(points[i], {k: one for k, one in enumerate(points) if k != i})}
        known = {pk for pk in near if pk < len(names)}
        right = {pk for pk in known if names[pk] == name}
        found, wrong, pairs = found + len(right), wrong + len(known - right), pairs + names.count(name) - 1
    assert found / pairs >= 0.5, (found, wrong, pairs)
    assert found / (found + wrong) >= 0.9, (found, wrong, pairs)


def test_thousands_of_candidates_are_weighed_in_no_time() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(4000, 384))
    units = np.rint(vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * 127).astype(np.int8)
    candidates = {i: Point(row.tobytes(), "en" if i % 2 else "de", frozenset()) for i, row in enumerate(units)}
    assert closest(candidates[7], candidates)[0][0] == 7
    assert cpu_secs(lambda: closest(candidates[7], candidates)) < 0.5
