"""Plain ways of telling sentiment, to set the model's figures beside."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .classifier import LABELS, Floats
from .training.rows import Row, read_rows


def baselines(rows: list[Row], train: Path | None) -> Iterator[tuple[str, Floats | str]]:
    """Name and probabilities of each baseline, or why it could not be had."""
    yield "always the commonest", _commonest(rows)
    yield "VADER", _vader(rows)
    yield "TF-IDF + regression", _tfidf(rows, train) if train else "give --train to have it trained"


def _commonest(rows: list[Row]) -> Floats:
    share = np.bincount([row.label for row in rows], minlength=len(LABELS)) / len(rows)
    return np.tile(share, (len(rows), 1)).astype(np.float32)


def _vader(rows: list[Row]) -> Floats | str:
    """English word list of Hutto & Gilbert (2014), with the thresholds its authors give."""
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415  (optional extra)
    except ImportError:
        return "needs the extra `train`"
    analyser, out = SentimentIntensityAnalyzer(), np.zeros((len(rows), len(LABELS)), np.float32)
    for i, row in enumerate(rows):
        value = analyser.polarity_scores(row.text)["compound"]
        sure = 0.34 + 0.66 * abs(value)
        out[i] = (1 - sure) / 2
        out[i, 0 if value <= -0.05 else 2 if value >= 0.05 else 1] = sure
    return out


def _tfidf(rows: list[Row], train: Path) -> Floats | str:
    """Character n-grams within words and a logistic regression, trained on the rows the model had."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415  (optional extra)
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    except ImportError:
        return "needs the extra `train`"
    known = list(read_rows(train))
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, max_features=150_000, sublinear_tf=True)
    model = LogisticRegression(C=4, max_iter=60)
    model.fit(vectors.fit_transform([row.text for row in known]), [row.label for row in known])
    return np.asarray(model.predict_proba(vectors.transform([row.text for row in rows])), np.float32)
