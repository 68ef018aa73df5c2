"""Fine-tune the upper layers on cached outputs of the frozen trunk, and fit what reads the trunk as it is."""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from .network import Head, Layers, TopicJudge, Trunk, mean_pool
from .rows import LABELS, Row
from .wheel import Base, Floats

log = logging.getLogger(__name__)
_RIDGE = 1.0
# Where there is a GPU, minutes instead of an hour; its rounding differs, so the files do too.
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def on_device(*parts: torch.nn.Module) -> Iterator[None]:
    """These parts are on the device meanwhile, and on the CPU again afterwards."""
    for part in parts:
        part.to(DEVICE)
    try:
        yield
    finally:
        for part in parts:
            part.cpu()


@dataclass(frozen=True)
class Recipe:
    """What is tuned and how. Chosen by trial: README.md beside this file tells what other choices gained."""

    frozen_layers: int = 6  # shared by what is tuned and what is read
    read_layers: int = 8  # untouched, those of the trunk included
    layers: int = 10
    # What is read is fitted on so many comments of a source in a language, lest one kind drown the others.
    most_of_a_kind: int = 1_000
    max_tokens: int = 72
    batch: int = 32
    epochs: int = 1
    body_rate: float = 1.2e-4
    head_rate: float = 5e-4
    warmup_steps: int = 60
    smoothing: float = 0.05
    dropout: float = 0.05
    regression_strength: float = 0.02
    likeness_rows: int = 6_000
    blend_tuned: float = 0.6
    judge_hidden: int = 192
    judge_epochs: int = 10
    judge_batch: int = 64
    judge_rate: float = 1e-3
    judge_decay: float = 0.05
    judge_dropout: float = 0.1
    judge_absent: float = 0.1  # weight of a topic that a comment is not about
    seed: int = 1


@dataclass(frozen=True)
class Cached:
    """The trunk's output for every row, end to end in half precision."""

    states: npt.NDArray[np.float16]
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def length(self, i: int) -> int:
        return int(self.starts[i + 1] - self.starts[i])

    def batch(self, rows: list[int]) -> tuple[Tensor, Tensor]:
        """States and mask of these rows, on the device."""
        longest = max(map(self.length, rows))
        x = torch.zeros(len(rows), longest, self.states.shape[1])
        mask = torch.zeros(len(rows), longest, dtype=torch.bool)
        for k, i in enumerate(rows):
            n = self.length(i)
            x[k, :n] = torch.from_numpy(self.states[self.starts[i] : self.starts[i + 1]].astype(np.float32))
            mask[k, :n] = True
        return x.to(DEVICE), mask.to(DEVICE)


def by_length(lengths: list[int], size: int, rng: random.Random | None = None) -> Iterator[list[int]]:
    """Batches of rows of like length; with `rng`, in a random order drawn from it."""
    order = list(range(len(lengths)))
    pool = len(order)
    if rng is not None:
        rng.shuffle(order)
        pool = size * 50
    for at in range(0, len(order), pool):
        part = sorted(order[at : at + pool], key=lambda i: lengths[i])
        batches = [part[k : k + size] for k in range(0, len(part), size)]
        if rng is not None:
            rng.shuffle(batches)
        yield from batches


def run_trunk(trunk: Trunk, tokenizer: Tokenizer, texts: list[str], pad: int, recipe: Recipe) -> Cached:
    """Tokenize all texts and pass them through the frozen layers once."""
    tokenizer.enable_truncation(recipe.max_tokens)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    lengths = [len(row) for row in ids]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    states = np.empty((starts[-1], trunk.norm.weight.shape[0]), np.float16)
    log.info("%d texts, %.1f tokens each", len(texts), starts[-1] / len(texts))
    trunk.eval()
    began, done = time.monotonic(), 0
    with on_device(trunk), torch.inference_mode():
        for batch in by_length(lengths, recipe.batch):
            longest = lengths[batch[-1]]
            x = torch.full((len(batch), longest), pad)
            for k, i in enumerate(batch):
                x[k, : lengths[i]] = torch.tensor(ids[i])
            mask = torch.arange(longest)[None, :] < torch.tensor([lengths[i] for i in batch])[:, None]
            out = trunk(x.to(DEVICE), mask.to(DEVICE)).cpu().numpy().astype(np.float16)
            for k, i in enumerate(batch):
                states[starts[i] : starts[i + 1]] = out[k, : lengths[i]]
            done += 1
            if done % 300 == 0:
                log.info("trunk: batch %d after %.0f s", done, time.monotonic() - began)
    return Cached(states, starts)


def tune(base: Base, cached: Cached, rows: list[Row], recipe: Recipe) -> tuple[Layers, Head]:
    """Train the upper layers and the head on the labels."""
    torch.manual_seed(recipe.seed)
    upper = Layers(base, recipe.frozen_layers, recipe.layers, recipe.dropout)
    head = Head(base.hidden, 3)
    with on_device(upper, head):
        _tune(upper, head, cached, rows, recipe)
    return upper.eval(), head.eval()


def _tune(upper: Layers, head: Head, cached: Cached, rows: list[Row], recipe: Recipe) -> None:
    groups = [
        {"params": list(upper.parameters()), "lr": recipe.body_rate, "base": recipe.body_rate},
        {"params": list(head.parameters()), "lr": recipe.head_rate, "base": recipe.head_rate},
    ]
    weights = [*upper.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    lengths = [cached.length(i) for i in range(len(cached))]
    labels = torch.tensor([row.label for row in rows], device=DEVICE)
    total = recipe.epochs * -(-len(rows) // recipe.batch)
    step, running, began = 0, 0.0, time.monotonic()
    upper.train()
    head.train()
    for epoch in range(recipe.epochs):
        for batch in by_length(lengths, recipe.batch, random.Random(recipe.seed * 1000 + epoch)):
            share = min(1.0, (step + 1) / recipe.warmup_steps) * max(0.02, 1 - step / total)
            for group in optimizer.param_groups:
                group["lr"] = group["base"] * share
            x, mask = cached.batch(batch)
            loss = F.cross_entropy(head(upper(x, mask)), labels[batch], label_smoothing=recipe.smoothing)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1
            running = loss.item() if step == 1 else 0.98 * running + 0.02 * loss.item()
            if step % 100 == 0:
                log.info("tune: step %d of %d, loss %.3f, %.0f s", step, total, running, time.monotonic() - began)


def embed(upper: Layers, cached: Cached, rows: list[int], recipe: Recipe) -> Floats:
    """Embeddings of some rows by layers over the cached trunk."""
    out = np.empty((len(rows), cached.states.shape[1]), np.float32)
    with on_device(upper), torch.inference_mode():
        for batch in by_length([cached.length(i) for i in rows], recipe.batch):
            x, mask = cached.batch([rows[k] for k in batch])
            out[batch] = mean_pool(upper(x, mask), mask).cpu().numpy()
    return out


def run_layers(layers: Layers, cached: Cached, recipe: Recipe) -> Cached:
    """What layers make of every token of a cached trunk."""
    states = np.empty_like(cached.states)
    with on_device(layers), torch.inference_mode():
        for batch in by_length([cached.length(i) for i in range(len(cached))], recipe.batch):
            out = layers(*cached.batch(batch)).cpu().numpy().astype(np.float16)
            for k, i in enumerate(batch):
                states[cached.starts[i] : cached.starts[i + 1]] = out[k, : cached.length(i)]
    return Cached(states, cached.starts)


def fit_judge(cached: Cached, labels: npt.NDArray[np.int64], recipe: Recipe) -> TopicJudge:
    """Learn from tokens' states how topics are judged; `labels` are texts × topics, -1 where a text is not about it."""
    torch.manual_seed(recipe.seed)
    answers = torch.from_numpy(labels[:, :, None] == np.arange(len(LABELS))).flatten(1).float()
    weights = torch.from_numpy(np.where(labels < 0, recipe.judge_absent, 1)).float().repeat_interleave(len(LABELS), 1)
    judge = TopicJudge(cached.states.shape[1], recipe.judge_hidden, answers.shape[1], recipe.judge_dropout)
    states = cached.states.astype(np.float32)
    judge.mean.data, judge.scale.data = torch.from_numpy(states.mean(0)), torch.from_numpy(states.std(0))
    with on_device(judge):
        _teach(judge, cached, answers.to(DEVICE), weights.to(DEVICE), recipe)
    judge.eval()
    return judge


def _teach(judge: TopicJudge, cached: Cached, answers: Tensor, weights: Tensor, recipe: Recipe) -> None:
    learnt = [weight for weight in judge.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learnt, weight_decay=recipe.judge_decay)
    lengths = [cached.length(i) for i in range(len(cached))]
    total, step = recipe.judge_epochs * -(-len(lengths) // recipe.judge_batch), 0
    for epoch in range(recipe.judge_epochs):
        for batch in by_length(lengths, recipe.judge_batch, random.Random(recipe.seed * 1000 + epoch)):
            for group in optimizer.param_groups:
                group["lr"] = (
                    recipe.judge_rate * min(1.0, (step + 1) / recipe.warmup_steps) * max(0.02, 1 - step / total)
                )
            said = judge(*cached.batch(batch))
            wrong = F.binary_cross_entropy_with_logits(said, answers[batch], weight=weights[batch], reduction="sum")
            (wrong / len(batch)).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1


def fit_likeness(pooled: Floats, embeddings: Floats) -> tuple[Floats, Floats]:
    """Weights and bias that turn pooled states into the whole base's embedding, freed of what all texts share.

    A ridge regression, so that likeness costs no layer beyond those that are read: README.md tells what it loses.
    """
    target = embeddings - embeddings.mean(0)
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    mean, scale = pooled.mean(0), pooled.std(0)
    x = ((pooled - mean) / scale).astype(np.float64)
    weights = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ target) / scale[:, None]
    return weights.astype(np.float32), (target.mean(0) - mean @ weights).astype(np.float32)


def fit_regression(embeddings: Floats, labels: npt.NDArray[np.int64], recipe: Recipe) -> tuple[Floats, Floats]:
    """Weights (hidden × 3) and bias of a logistic regression on pooled states, its standardisation folded in."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = embeddings.mean(0), embeddings.std(0)
    model = LogisticRegression(C=recipe.regression_strength, max_iter=400)
    model.fit((embeddings - mean) / scale, labels)
    weights = (model.coef_ / scale).T.astype(np.float32)
    bias = (model.intercept_ - mean @ weights).astype(np.float32)
    return weights, bias


def save_checkpoint(
    folder: Path, base: Base, vocabulary: int, trunk: Trunk, upper: Layers, head: Head, pad: int
) -> None:
    """The tuned model as `AutoModelForSequenceClassification` loads it."""
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=base.hidden,
        num_hidden_layers=upper.first + len(upper.layers),
        num_attention_heads=base.heads,
        intermediate_size=base.inner,
        max_position_embeddings=base.tensors["embeddings.position_embeddings.weight"].shape[0],
        type_vocab_size=base.tensors["embeddings.token_type_embeddings.weight"].shape[0],
        layer_norm_eps=base.eps,
        pad_token_id=pad,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
    )
    state = {name: torch.from_numpy(v) for name, v in base.tensors.items() if name.startswith("embeddings.")}
    state["embeddings.word_embeddings.weight"] = trunk.words.weight
    state |= {name: torch.from_numpy(v) for part in (trunk.lower, upper) for name, v in part.named().items()}
    state |= {f"pooler.dense.{kind}": getattr(head.pooler, kind) for kind in ("weight", "bias")}
    named = {f"bert.{name}": value.detach() for name, value in state.items()}
    named |= {f"classifier.{kind}": getattr(head.classifier, kind).detach() for kind in ("weight", "bias")}
    model = BertForSequenceClassification(config)
    model.load_state_dict(named)
    model.save_pretrained(folder)
