"""Plain ways of telling sentiment, to set the model's figures beside."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from .classifier import LABELS, Floats
from .lexicon import split_words
from .training.rows import Row

# A word is listed when it is this many times likelier in comments of one pole, and seen this often.
_TELLING, _SEEN = 2.0, 5


def baselines(rows: list[Row], train: list[Row]) -> Iterator[tuple[str, Floats | str]]:
    """Name and probabilities of each baseline for `rows`, or why it could not be had.

    Those that learn do so from `train`, the rows that the model had.
    """
    yield "always the commonest", _commonest(rows)
    yield "VADER", _vader(rows)
    yield "word list", _word_list(rows, train) if train else _UNTRAINED
    yield "TF-IDF + regression", _tfidf(rows, train) if train else _UNTRAINED


_UNTRAINED = "give --train to have it trained"


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


def _word_list(rows: list[Row], train: list[Row]) -> Floats:
    """For each language the words that are much commoner in one pole's comments; the pole with more words wins."""
    counts: dict[tuple[str, int], Counter[str]] = {}
    for row in train:
        counts.setdefault((row.language, row.label), Counter()).update({word.text for word in split_words(row.text)})
    total = Counter((row.language, row.label) for row in train)
    listed: dict[tuple[str, str], int] = {}
    for (language, label), words in counts.items():
        if LABELS[label] == "neutral":
            continue
        other = counts.get((language, 2 - label), Counter())
        for word, seen in words.items():
            share = (seen + 1) / (total[language, label] + 2)
            if seen >= _SEEN and share > _TELLING * (other[word] + 1) / (total[language, 2 - label] + 2):
                listed[language, word] = label - 1
    out = np.zeros((len(rows), len(LABELS)), np.float32)
    for i, row in enumerate(rows):
        value = sum(listed.get((row.language, word.text), 0) for word in split_words(row.text))
        sure = 0.34 + 0.66 * abs(value) / (1 + abs(value))
        out[i] = (1 - sure) / 2
        out[i, 1 + int(np.sign(value))] = sure
    return out


def _tfidf(rows: list[Row], train: list[Row]) -> Floats | str:
    """Character n-grams within words and a logistic regression, trained on the rows the model had."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415  (optional extra)
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    except ImportError:
        return "needs the extra `train`"
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, max_features=150_000, sublinear_tf=True)
    model = LogisticRegression(C=4, max_iter=60)
    model.fit(vectors.fit_transform([row.text for row in train]), [row.label for row in train])
    return np.asarray(model.predict_proba(vectors.transform([row.text for row in rows])), np.float32)
