"""What may not be meant as it sounds: praise that is irony ("Lovely, the lamp lasted a whole week."), and what has the
ring of a complaint but states a fact ("I paid by card.") or praises by denying ("Not a single queue.").

A hidden layer for each reads all that the model says of a text, as the heads do. What it doubts is called unsure; it
never turns the one into the other. It belongs to one version of the model and is fitted by `training/doubts.py`.
"""

import io
import json
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .heads import UNREADABLE, HeadsMismatch, OtherModel, deviations
from .hidden import Hidden

log = logging.getLogger(__name__)
Floats = npt.NDArray[np.float32]
_HIDDEN = ("inner", "inner_bias", "outer", "outer_bias")


class Kind(NamedTuple):
    """`file`: beside the model. `sounds`: what the model takes those texts for that may be doubted."""

    file: str
    sounds: str


IRONY, PLAIN = Kind("irony.npz", "positive"), Kind("plain.npz", "negative")
KINDS = (IRONY, PLAIN)


@dataclass(frozen=True)
class Doubt:
    """`mean` and `scale` are of the traits of usual texts that sound so; doubted is what scores above `threshold`."""

    model_version: str
    mean: Floats
    scale: Floats
    hidden: Hidden
    threshold: float

    def scores(self, traits: Floats) -> Floats:
        """How doubtful each text is."""
        return np.asarray(self.hidden(deviations(traits, self.mean, self.scale))[:, 0], np.float32)

    def doubts(self, traits: Floats) -> npt.NDArray[np.bool_]:
        """Which texts may not be meant so; it means something for those that sound so only."""
        return np.asarray(self.scores(traits) > self.threshold)

    def dump(self) -> bytes:
        """As bytes that `load_doubt` reads; the same fit gives the same bytes."""
        about = json.dumps({"model_version": self.model_version, "threshold": self.threshold}, sort_keys=True)
        out = io.BytesIO()
        np.savez(
            out,
            about=np.frombuffer(about.encode(), np.uint8),
            mean=self.mean,
            scale=self.scale,
            **{f"hidden_{part}": getattr(self.hidden, part).astype(np.float16) for part in _HIDDEN},
        )
        return out.getvalue()


def load_doubt(content: bytes, model_version: str) -> Doubt:
    """Raises HeadsMismatch for weights of another model, or that are none."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            hidden = Hidden(*(arrays[f"hidden_{part}"].astype(np.float32) for part in _HIDDEN))
            doubt = Doubt(about["model_version"], arrays["mean"], arrays["scale"], hidden, float(about["threshold"]))
    except UNREADABLE as error:
        raise HeadsMismatch(f"not readable: {error}") from error
    if doubt.model_version != model_version:
        raise OtherModel(f"fitted for {doubt.model_version}, not for {model_version}")
    width = doubt.mean.size
    if not (doubt.mean.shape == doubt.scale.shape == (width,) and doubt.hidden.fits(width, 1)):
        raise HeadsMismatch("its parts do not fit each other")
    return doubt


@cache
def served_doubt(folder: Path, kind: Kind, model_version: str, traits: int) -> Doubt | None:
    """What is beside a served model that tells so many traits. None, with one line in the log, where it does not fit
    it or is not there, as beside a model of an earlier release: praise is then doubted for its signs only, such as
    rolling eyes, and complaints are not."""
    try:
        doubt = load_doubt((folder / kind.file).read_bytes(), model_version)
        if doubt.mean.size != traits:
            raise HeadsMismatch(f"fitted for {doubt.mean.size} traits, not for {traits}")
        return doubt
    except (OSError, HeadsMismatch) as error:
        level = logging.WARNING if isinstance(error, FileNotFoundError) else logging.ERROR
        log.log(level, "what sounds %s is not doubted: %s: %s; run fit_doubts", kind.sounds, model_version, error)
        return None
