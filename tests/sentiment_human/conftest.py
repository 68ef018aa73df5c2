"""Readings that people judge, made by the real model."""

from collections.abc import Callable

import pytest
from django.db import transaction

from core.work import drain
from sentiment.models import Analysis
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain, make_response

Read = Callable[..., Analysis]


def submit(chain: Chain, words: str, *, score: int | None = 9, foreign: bool = False, language: str = "en") -> Response:
    touchpoint = chain.foreign_touchpoint if foreign else chain.touchpoint
    response = make_response(touchpoint=touchpoint, score=score, words=words, language=language)
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
    return response


@pytest.fixture
def read(chain: Chain) -> Read:
    """Submits words and has them read."""

    def read_words(words: str, *, score: int | None = 9, foreign: bool = False, language: str = "en") -> Analysis:
        response = submit(chain, words, score=score, foreign=foreign, language=language)
        drain(["analysis"])
        return Analysis.objects.select_related("verbatim__response").get(verbatim__response=response)

    return read_words
