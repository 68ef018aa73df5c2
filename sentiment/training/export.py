"""Write the served graph: one trunk, two branches, eight-bit weights.

Built operator by operator rather than traced: onnxruntime's fused operators are named outright, so the file does not
depend on which exporter and which fusion patterns are installed.
"""

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from .network import Head, Layers, Trunk
from .smoothing import Factors
from .wheel import Base, Floats

_FUSED = "com.microsoft"
# Below this factor two more operators cost more than they mend.
_LOUD = 1.5


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", **options: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **options))
        return output


def _arrays(module: object) -> dict[str, Floats]:
    return {name: value.numpy() for name, value in module.state_dict().items()}  # type: ignore[attr-defined]


def _layer(graph: _Graph, x: str, weights: dict[str, Floats], factors: dict[str, float], name: str, base: Base) -> str:
    """One post-norm layer from fused operators; matrices transposed from torch's order."""

    def const(key: str, value: Floats) -> str:
        return graph.constant(f"{name}.{key}", value)

    def multiply(value: str, matrix: str) -> str:
        """The product, the marks' rows made quieter before and as loud as they were after, padding silenced."""
        weight = const(matrix, weights[f"{matrix}.weight"].T)
        factor = factors.get(matrix, 1.0)
        if factor < _LOUD:
            return graph.add("MatMul", [value, weight], f"{name}.{matrix}.out")
        quieter = graph.constant(f"{name}.{matrix}.quieter", np.array(1 / factor, np.float32))
        rows = graph.add("Where", ["is_mark", quieter, "is_token"], f"{name}.{matrix}.rows")
        value = graph.add("Mul", [value, rows], f"{name}.{matrix}.in")
        product = graph.add("MatMul", [value, weight], f"{name}.{matrix}.product")
        louder = graph.constant(f"{name}.{matrix}.louder", np.array(factor, np.float32))
        back = graph.add("Where", ["is_mark", louder, "is_token"], f"{name}.{matrix}.back")
        return graph.add("Mul", [product, back], f"{name}.{matrix}.out")

    def add_and_norm(value: str, skip: str, matrix: str, norm: str) -> str:
        rest = [const(key, weights[key]) for key in (f"{norm}.weight", f"{norm}.bias", f"{matrix}.bias")]
        inputs = [multiply(value, matrix), skip, *rest]
        return graph.add("SkipLayerNormalization", inputs, f"{name}.{norm}.out", _FUSED, epsilon=base.eps)

    qkv = const("qkv", np.concatenate([weights[f"{part}.weight"].T for part in "qkv"], axis=1))
    qkv_bias = const("qkv.bias", np.concatenate([weights[f"{part}.bias"] for part in "qkv"]))
    a = graph.add("Attention", [x, qkv, qkv_bias, "mask"], f"{name}.attention", _FUSED, num_heads=base.heads)
    x = add_and_norm(a, x, "ao", "aln")
    y = graph.add("BiasGelu", [multiply(x, "fi"), const("fi.bias", weights["fi.bias"])], f"{name}.gelu", _FUSED)
    return add_and_norm(y, x, "fo", "oln")


def _stack(graph: _Graph, x: str, layers: Layers, factors: Factors, name: str, base: Base) -> str:
    state = _arrays(layers)
    for i, own_factors in enumerate(factors):
        own = {k.removeprefix(f"layers.{i}."): v for k, v in state.items() if k.startswith(f"layers.{i}.")}
        x = _layer(graph, x, own, own_factors, f"{name}{i + layers.first}", base)
    return x


def _marks(graph: _Graph, ids: list[int]) -> None:
    """For each place whether a text starts or ends there, and 1 where there is anything but padding."""
    last = graph.constant("last_axis", np.array([2]))
    column = graph.add("Unsqueeze", ["input_ids", last], "id_column")
    starts, ends = (
        graph.add("Equal", [column, graph.constant(f"mark{k}", np.array(mark))], f"is_mark{k}")
        for k, mark in enumerate(ids)
    )
    graph.add("Or", [starts, ends], "is_mark")
    flat = graph.add("Cast", ["attention_mask"], "token_floats", to=TensorProto.FLOAT)
    graph.add("Unsqueeze", [flat, last], "is_token")


def _words(graph: _Graph, base: Base, kept: list[int]) -> str:
    """The words' embeddings, unpacked from the four bits a weight that the base stores: exact, and half the size."""
    rows = np.array(kept)
    blocks = base.hidden // 32
    packed = graph.add("Gather", [graph.constant("words", base.word_codes[rows]), "input_ids"], "word_codes")
    low = graph.add("BitwiseAnd", [packed, graph.constant("fifteen", np.array(15, np.uint8))], "low")
    four = graph.constant("four", np.array(4, np.uint8))
    high = graph.add("BitShift", [packed, four], "high", direction="RIGHT")
    halves = graph.constant("halves", np.array([0, 0, blocks, 16]))
    split = [graph.add("Reshape", [half, halves], f"{half}_blocks") for half in (low, high)]
    codes = graph.add("Concat", split, "codes", axis=3)
    codes = graph.add("Cast", [codes], "code_floats", to=TensorProto.FLOAT)
    codes = graph.add("Sub", [codes, graph.constant("eight", np.array(8, np.float32))], "signed")
    scale = graph.add("Gather", [graph.constant("word_scale", base.word_scales[rows]), "input_ids"], "scale_halves")
    scale = graph.add("Cast", [scale], "scale_floats", to=TensorProto.FLOAT)
    scale = graph.add("Unsqueeze", [scale, graph.constant("three", np.array([3]))], "scale")
    values = graph.add("Mul", [codes, scale], "word_blocks")
    return graph.add("Reshape", [values, graph.constant("whole", np.array([0, 0, base.hidden]))], "word")


def build_graph(
    base: Base,
    kept: list[int],
    trunk: Trunk,
    tuned: Layers,
    frozen: Layers,
    head: Head,
    regression: tuple[Floats, Floats],
    factors: list[Factors],
    *,
    positions: int,
) -> onnx.ModelProto:
    """Inputs `input_ids` and `attention_mask`; outputs `tuned` and `base` (logits) and `embedding` (length one).

    `kept` are the pieces of the served vocabulary, in order; `factors` come from smoothing.find_factors. Texts of
    more than `positions` tokens must be cut by the caller.
    """
    graph = _Graph()
    g = _words(graph, base, kept)
    zero, one = graph.constant("zero", np.array([0])), graph.constant("one", np.array([1]))
    length = graph.add("Shape", ["input_ids"], "length", start=1)
    p = graph.add(
        "Slice", [graph.constant("places", trunk.places.weight.numpy()[:positions]), zero, length, zero], "place"
    )
    x = graph.add("Add", [g, p], "embedded")
    norm = [graph.constant("norm", trunk.norm.weight.numpy()), graph.constant("norm_bias", trunk.norm.bias.numpy())]
    x = graph.add("LayerNormalization", [x, *norm], "normed", epsilon=base.eps)
    graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    _marks(graph, [kept.index(base.begin), kept.index(base.end)])
    x = _stack(graph, x, trunk.lower, factors[0], "trunk", base)

    t = _stack(graph, x, tuned, factors[1], "tuned", base)
    first = graph.add("Gather", [t, graph.constant("first_index", np.array(0))], "first", axis=1)
    h = _arrays(head)
    pool = [graph.constant("pool", h["pooler.weight"]), graph.constant("pool_bias", h["pooler.bias"])]
    y = graph.add("Tanh", [graph.add("Gemm", [first, *pool], "pooling", transB=1)], "pooled")
    last = [graph.constant("classes", h["classifier.weight"]), graph.constant("class_bias", h["classifier.bias"])]
    graph.add("Gemm", [y, *last], "tuned", transB=1)

    b = _stack(graph, x, frozen, factors[2], "base", base)
    summed = graph.add("ReduceSum", [graph.add("Mul", [b, "is_token"], "weighted"), one], "summed", keepdims=0)
    norm_of = graph.add("ReduceL2", [summed, one], "norm_of", keepdims=1)
    graph.add("Div", [summed, norm_of], "embedding")
    reg = [graph.constant("regression", regression[0]), graph.constant("regression_bias", regression[1])]
    graph.add("Gemm", ["embedding", *reg], "base")

    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "halfhour-sentiment",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
                for name in ("input_ids", "attention_mask")
            ],
            [
                helper.make_tensor_value_info("tuned", TensorProto.FLOAT, ["batch", 3]),
                helper.make_tensor_value_info("base", TensorProto.FLOAT, ["batch", 3]),
                helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", base.hidden]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(_FUSED, 1)],
        ir_version=10,
    )


def write_quantised(model: onnx.ModelProto, path: Path, *, reduce_range: bool = True) -> None:
    """The same graph with the layers' matrices in eight bits, one scale a column.

    `reduce_range` uses seven of the eight: on CPUs without VNNI the products of the eighth overflow silently.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        onnx.save(model, whole)
        quantize_dynamic(
            whole,
            path,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=reduce_range,
            op_types_to_quantize=["MatMul", "Attention"],
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
        )
