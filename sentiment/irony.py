"""Praise that may be meant as a complaint: "Lovely, the lamp lasted a whole week."

A hidden layer reads all that the model says of a text, as the heads do. What it doubts is called unsure; it never
turns praise into a complaint. It belongs to one version of the model and is fitted by `training/irony.py`.
"""

import io
import json
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .heads import UNREADABLE, HeadsMismatch, OtherModel, deviations
from .hidden import Hidden

log = logging.getLogger(__name__)
Floats = npt.NDArray[np.float32]
FILE = "irony.npz"
_HIDDEN = ("inner", "inner_bias", "outer", "outer_bias")


@dataclass(frozen=True)
class Remark:
    """A comment that sounds like praise; `ironic`: it is meant as a complaint."""

    text: str
    language: str
    ironic: bool


@dataclass(frozen=True)
class Irony:
    """`mean` and `scale` are of the traits of usual praise; doubted is what scores above `threshold`."""

    model_version: str
    mean: Floats
    scale: Floats
    hidden: Hidden
    threshold: float

    def scores(self, traits: Floats) -> Floats:
        """One for each text, whatever it says; they mean something for praise only."""
        return np.asarray(self.hidden(deviations(traits, self.mean, self.scale))[:, 0], np.float32)

    def dump(self) -> bytes:
        """As bytes that `load_irony` reads; the same fit gives the same bytes."""
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


def load_irony(content: bytes, model_version: str) -> Irony:
    """Raises HeadsMismatch for weights of another model, or that are none."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            hidden = Hidden(*(arrays[f"hidden_{part}"].astype(np.float32) for part in _HIDDEN))
            irony = Irony(about["model_version"], arrays["mean"], arrays["scale"], hidden, float(about["threshold"]))
    except UNREADABLE as error:
        raise HeadsMismatch(f"not readable: {error}") from error
    if irony.model_version != model_version:
        raise OtherModel(f"fitted for {irony.model_version}, not for {model_version}")
    width = irony.mean.size
    if not (irony.mean.shape == irony.scale.shape == (width,) and irony.hidden.fits(width, 1)):
        raise HeadsMismatch("its parts do not fit each other")
    return irony


@cache
def served_irony(folder: Path, model_version: str, traits: int) -> Irony | None:
    """What is beside a served model that tells so many traits. None, with one error in the log, where it does not fit
    it: praise is then doubted for its signs only, such as rolling eyes."""
    try:
        irony = load_irony((folder / FILE).read_bytes(), model_version)
        if irony.mean.size != traits:
            raise HeadsMismatch(f"fitted for {irony.mean.size} traits, not for {traits}")
        return irony
    except (OSError, HeadsMismatch) as error:
        log.error("irony is not looked for: %s: %s; run fit_irony", model_version, error)
        return None
