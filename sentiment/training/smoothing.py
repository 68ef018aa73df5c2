"""Keep two loud tokens from drowning the others when activations are put into eight bits.

In this encoder the marks at a text's start and end carry values ten times those of any word (the "massive
activations" of Sun et al. 2024, arXiv:2402.17762), and one scale serves a whole batch. Before the matrices where that
happens the marks' rows are divided by a factor, and afterwards multiplied by it: the same product, finer steps.
Evening out channels (SmoothQuant, arXiv:2211.10438) was tried and made it worse: the peaks are tokens, not channels.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .network import Layers, Trunk

READERS = ("fi", "fo")
Factors = list[dict[str, float]]


class _Peaks:
    """Remembers the largest value that the marks and that the words put into a matrix."""

    def __init__(self) -> None:
        self.marks = self.words = 1e-6

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        by_token = inputs[0][0].abs().amax(1)
        self.marks = max(self.marks, float(by_token[[0, -1]].max()))
        self.words = max(self.words, float(by_token[1:-1].max()))

    def factor(self) -> float:
        return max(1.0, self.marks / self.words)


def find_factors(trunk: Trunk, branches: list[Layers], texts: Iterable[list[int]]) -> list[Factors]:
    """Factors of the trunk's layers and then of each branch's, from tokenized texts of at least one word."""
    stacks = [trunk.lower, *branches]
    peaks = [[{name: _Peaks() for name in READERS} for _ in stack.layers] for stack in stacks]
    hooks = [
        getattr(layer, name).register_forward_pre_hook(peak)
        for stack, own in zip(stacks, peaks, strict=True)
        for layer, by_name in zip(stack.layers, own, strict=True)
        for name, peak in by_name.items()
    ]
    with torch.inference_mode():
        for ids in texts:
            mask = torch.ones(1, len(ids), dtype=torch.bool)
            shared = trunk(torch.tensor([ids]), mask)
            for branch in branches:
                branch(shared, mask)
    for hook in hooks:
        hook.remove()
    return [[{name: peak.factor() for name, peak in by_name.items()} for by_name in own] for own in peaks]
