"""The encoder in plain torch: layers that can be frozen, shared as a trunk, and exported.

Own code rather than `BertModel` because the trunk's output is cached and fed to the upper layers, which no
`transformers` class offers; names and arithmetic are BERT's, so that a checkpoint loads there as it is.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .wheel import LAYER_PARTS, Base, Floats


class Layer(nn.Module):  # type: ignore[misc]  # torch is an optional extra
    """One post-norm BERT layer."""

    def __init__(self, base: Base, dropout: float) -> None:
        super().__init__()
        h = base.hidden
        self.heads, self.dropout = base.heads, dropout
        self.q, self.k, self.v, self.ao = (nn.Linear(h, h) for _ in range(4))
        self.aln = nn.LayerNorm(h, eps=base.eps)
        self.fi = nn.Linear(h, base.inner)
        self.fo = nn.Linear(base.inner, h)
        self.oln = nn.LayerNorm(h, eps=base.eps)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, length, h = x.shape

        def split(y: Tensor) -> Tensor:
            return y.view(batch, length, self.heads, h // self.heads).transpose(1, 2)

        rate = self.dropout if self.training else 0.0
        a = F.scaled_dot_product_attention(
            split(self.q(x)), split(self.k(x)), split(self.v(x)), attn_mask=bias, dropout_p=rate
        )
        a = self.ao(a.transpose(1, 2).reshape(batch, length, h))
        x = self.aln(x + F.dropout(a, rate, self.training))
        y = self.fo(F.gelu(self.fi(x)))
        out: Tensor = self.oln(x + F.dropout(y, rate, self.training))
        return out


class Layers(nn.Module):  # type: ignore[misc]  # torch is an optional extra
    """Layers `first` to `last` (exclusive) of the base."""

    def __init__(self, base: Base, first: int, last: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = first
        self.layers = nn.ModuleList(Layer(base, dropout) for _ in range(first, last))
        state = {}
        for i in range(first, last):
            for part, short in LAYER_PARTS.items():
                for kind in ("weight", "bias"):
                    value = base.tensors[f"encoder.layer.{i}.{part}.{kind}"]
                    state[f"layers.{i - first}.{short}.{kind}"] = torch.from_numpy(value.copy())
        self.load_state_dict(state)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        bias = torch.where(mask[:, None, None, :], 0.0, -1e9)
        for layer in self.layers:
            x = layer(x, bias)
        return x

    def named(self) -> dict[str, Floats]:
        """The weights under BERT's names."""
        long = {short: part for part, short in LAYER_PARTS.items()}
        named = {}
        for name, value in self.state_dict().items():
            _, i, short, kind = name.split(".")
            named[f"encoder.layer.{int(i) + self.first}.{long[short]}.{kind}"] = value.numpy()
        return named


class Trunk(nn.Module):  # type: ignore[misc]  # torch is an optional extra
    """Embeddings and the lower layers, frozen: what both branches share."""

    def __init__(self, base: Base, kept: list[int], depth: int) -> None:
        super().__init__()
        t = base.tensors
        self.words = nn.Embedding.from_pretrained(
            torch.from_numpy(t["embeddings.word_embeddings.weight"][np.array(kept)])
        )
        places = t["embeddings.position_embeddings.weight"] + t["embeddings.token_type_embeddings.weight"][0]
        self.places = nn.Embedding.from_pretrained(torch.from_numpy(places))
        self.norm = nn.LayerNorm(base.hidden, eps=base.eps)
        self.norm.weight.data = torch.from_numpy(t["embeddings.LayerNorm.weight"])
        self.norm.bias.data = torch.from_numpy(t["embeddings.LayerNorm.bias"])
        self.lower = Layers(base, 0, depth)
        self.requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        x = self.norm(self.words(ids) + self.places(torch.arange(ids.shape[1], device=ids.device)))
        out: Tensor = self.lower(x, mask)
        return out


class Head(nn.Module):  # type: ignore[misc]  # torch is an optional extra
    """BERT's classification head; the pooler starts as the identity, as the base has none of its own."""

    def __init__(self, hidden: int, classes: int) -> None:
        super().__init__()
        self.pooler = nn.Linear(hidden, hidden)
        self.pooler.weight.data = torch.eye(hidden)
        self.pooler.bias.data.zero_()
        self.classifier = nn.Linear(hidden, classes)
        nn.init.normal_(self.classifier.weight, std=1 / math.sqrt(hidden))
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.dropout(torch.tanh(self.pooler(x[:, 0])), 0.1, self.training)
        out: Tensor = self.classifier(pooled)
        return out


class TopicJudge(nn.Module):  # type: ignore[misc]  # torch is an optional extra
    """How each topic is judged, from the words that say so: every answer looks at the tokens with an attention of its
    own (Mullenbach et al. 2018, arXiv:1802.05695). Answers are topics × labels, as logits."""

    def __init__(self, width: int, hidden: int, answers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.mean, self.scale = (nn.Parameter(torch.zeros(width), requires_grad=False) for _ in range(2))
        self.lower = nn.Linear(width, hidden)
        self.look = nn.Linear(hidden, answers, bias=False)
        self.say = nn.Linear(hidden, answers)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.look.weight)
        nn.init.zeros_(self.say.weight)
        nn.init.constant_(self.say.bias, -2.0)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.dropout((x - self.mean) / self.scale)
        h = self.dropout(F.gelu(self.lower(x)))
        looked = self.look(h).masked_fill(~mask[:, :, None], -1e9).softmax(1)
        out: Tensor = (looked * self.say(h)).sum(1)
        return out

    def plain(self) -> dict[str, Floats]:
        """The weights with the standardisation folded in, matrices transposed from torch's order."""
        lower = self.lower.weight.detach() / self.scale
        bias = self.lower.bias.detach() - lower @ self.mean
        rest = {"look": self.look.weight.T, "say": self.say.weight.T, "say_bias": self.say.bias}
        return {"lower": lower.T.numpy(), "lower_bias": bias.numpy()} | {k: v.detach().numpy() for k, v in rest.items()}


def mean_pool(x: Tensor, mask: Tensor) -> Tensor:
    """The embedding of a text: the mean of its tokens, of length one, as the base was trained to be used."""
    weight = mask.to(x.dtype)[:, :, None]
    return F.normalize((x * weight).sum(1) / weight.sum(1), dim=1)
