"""Comments about the same matter, by the likeness of their embeddings and within what the reader may see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from sentiment.models import Analysis
from sentiment.reading import own_version
from stores.models import Store
from surveys.choices import STAFF_FLAG
from surveys.models import Verbatim

# The newest of the comment's own store, and the newest of all the reader may see, of thirteen weeks.
CANDIDATES = 1000
RECENT = timedelta(weeks=13)
MOST_SHOWN = 5
# Vectors lie together by their language too. Where each language has its own centre, taken from the candidates and
# drawn to nothing as if there were so many more of them, the same matter is told across languages.
_DRAWN = 30
# Found with 66 comments on 20 matters in seven languages, some matters close to another, among 650 comments of every
# kind (tests/sentiment_queue/matters.toml): from these values on 19 in 20 pairs are of one matter, and 57 % of all such
# pairs are found. Without centres and topics it was 7 % at three in four. Nearer than the last none was wrong.
LIKE_ON_TOPIC, LIKE, VERY_LIKE = 0.50, 0.60, 0.65


@dataclass(frozen=True)
class Similar:
    """A comment like another; `cosine` is their likeness, of 1."""

    verbatim: Verbatim
    cosine: float

    @property
    def how(self) -> str:
        """How similar, in words."""
        return _("very similar") if self.cosine >= VERY_LIKE else _("similar")


def similar_to(verbatim: Verbatim, stores: QuerySet[Store]) -> list[Similar]:
    """The comments of `stores` most like this one, the most similar first; none when nothing is similar enough.

    What staff tried out is left out. Only embeddings of the same model version can be compared.
    """
    analysis: Analysis | None = getattr(verbatim, "analysis", None)
    if analysis is None or not analysis.embedding or not analysis.confident:
        return []
    recent = Analysis.objects.filter(
        confident=True,
        verbatim__response__submitted_at__gte=timezone.now() - RECENT,
        verbatim__response__erased_at=None,
        verbatim__response__store__in=stores,
    )
    recent = recent.exclude(verbatim__response=verbatim.response_id)
    recent = recent.exclude(verbatim__response__flags__contains=[STAFF_FLAG])
    own = own_version(analysis.model_version)
    recent = recent.filter(Q(model_version=own) | Q(model_version__startswith=f"{own}+"))
    near = recent.filter(verbatim__response__store=verbatim.response.store_id)
    found: dict[int, Point] = {}
    for rows in (near, recent):
        newest = rows.exclude(embedding=b"").order_by("-verbatim__response__submitted_at")
        columns = newest.values_list("pk", "embedding", "language", "topics")[:CANDIDATES]
        found |= {pk: point_of(embedding, language, topics) for pk, embedding, language, topics in columns}
    best = closest(point_of(analysis.embedding, analysis.language, analysis.topics), found)
    related = ("response__store", "analysis")
    verbatims = Verbatim.objects.select_related(*related).exclude(text="").in_bulk([pk for pk, _cosine in best])
    return [Similar(verbatims[pk], cosine) for pk, cosine in best if pk in verbatims][:MOST_SHOWN]


@dataclass(frozen=True)
class Point:
    """What a comment is like: `embedding` as in `engine.Reading`."""

    embedding: bytes
    language: str
    topics: frozenset[str]


def point_of(embedding: bytes | memoryview, language: str, topics: Iterable[Mapping[str, str]]) -> Point:
    """From columns of an Analysis."""
    return Point(bytes(embedding), language, frozenset(hit["topic"] for hit in topics))


def closest(of: Point, candidates: Mapping[int, Point]) -> list[tuple[int, float]]:
    """The keys of the nearest candidates with their cosines, the same words said twice only once."""
    keys = [pk for pk, one in candidates.items() if len(one.embedding) == len(of.embedding)]
    if not keys:
        return []
    # Web processes that show no case never need it.
    import numpy as np  # noqa: PLC0415

    points = [of, *(candidates[pk] for pk in keys)]
    matrix = np.frombuffer(b"".join(one.embedding for one in points), np.int8).reshape(len(points), -1) / np.float32(
        127
    )
    languages = np.array([one.language for one in points])
    for language in set(languages):
        own = languages == language
        others = matrix[1:][own[1:]]
        matrix[own] -= others.sum(0) / (len(others) + _DRAWN)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-6)
    cosines = matrix[1:] @ matrix[0]
    needed = np.array([LIKE_ON_TOPIC if of.topics & one.topics else LIKE for one in points[1:]])
    distinct: dict[bytes, int] = {}
    for i in np.argsort(-cosines, kind="stable"):
        if cosines[i] >= needed[i] and len(distinct) < 2 * MOST_SHOWN:
            distinct.setdefault(points[1 + i].embedding, int(i))
    return [(keys[i], float(cosines[i])) for i in distinct.values()]
