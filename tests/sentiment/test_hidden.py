"""The hidden layer of the heads learns what no sum can say, and corrections leave it as it is."""

import numpy as np

from sentiment.classifier import FOLDER, get_classifier
from sentiment.fitting import Rows, evidence_of, labels_of, refit
from sentiment.heads import FILE, HEADS, load_heads
from sentiment.hidden import learn_hidden, mean_of


def test_it_learns_either_and_not_both_and_the_same_for_the_same_rows() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(20_000, 4)).astype(np.float32) * 2
    either = ((x[:, 0] > 0) != (x[:, 1] > 0)).astype(np.float32)[:, None]
    weights = np.ones_like(either)

    layer = learn_hidden(x, either, weights, seed=1)

    fresh = draw.normal(size=(500, 4)).astype(np.float32) * 2
    right = (layer(fresh)[:, 0] > 0) == ((fresh[:, 0] > 0) != (fresh[:, 1] > 0))
    assert right.mean() > 0.8
    one, same, other = (learn_hidden(x[:500], either[:500], weights[:500], seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one(fresh), same(fresh))
    assert np.allclose(mean_of([one, other])(fresh), (one(fresh) + other(fresh)) / 2, atol=1e-4)


def test_corrections_move_the_weights_and_leave_the_layer() -> None:
    classifier = get_classifier()
    heads = load_heads((FOLDER / FILE).read_bytes(), classifier.version)
    texts = [f"The lounge was taken again, number {n}." for n in range(6)]
    traits = classifier.score(texts).traits
    assert traits is not None
    evidence = [evidence_of(text, "en") for text in texts]
    labels = np.stack([labels_of(["packaging"], [])] * len(texts))
    rows = Rows(traits, evidence, labels, np.ones_like(labels))

    moved = refit(heads, rows, rows)

    packaging = HEADS.index("packaging")
    before, after = (one.scores(traits, evidence)[:, packaging] for one in (heads, moved))
    assert (after > before + 1).all()
    assert moved.hidden is heads.hidden


def test_traits_begin_with_the_embedding_and_do_not_depend_on_their_neighbours() -> None:
    texts = ["A puddle by the freezers, and my gran went down hard.", "Lovely ribbon on the box.", "ok"]
    scores = get_classifier().score(texts)
    assert scores.traits is not None and scores.embeddings is not None
    width = scores.embeddings.shape[1]
    assert np.allclose(scores.traits[:, :width] * 127, scores.embeddings, atol=0.51)
    alone = get_classifier().score(texts[:1]).traits
    assert alone is not None and np.allclose(alone[0], scores.traits[0], atol=1e-3)
