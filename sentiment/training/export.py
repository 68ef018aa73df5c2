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
from .wheel import Floats

_FUSED = "com.microsoft"


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


def _layer(graph: _Graph, x: str, weights: dict[str, Floats], name: str, heads: int, eps: float) -> str:
    """One post-norm layer from fused operators; matrices transposed from torch's order."""

    def const(key: str, value: Floats) -> str:
        return graph.constant(f"{name}.{key}", value)

    qkv = np.concatenate([weights[f"{p}.weight"].T for p in "qkv"], axis=1)
    qkv_bias = np.concatenate([weights[f"{p}.bias"] for p in "qkv"])
    a = graph.add(
        "Attention",
        [x, const("qkv", qkv), const("qkv_bias", qkv_bias), "mask"],
        f"{name}.attention",
        _FUSED,
        num_heads=heads,
    )
    for step, (matrix, norm) in enumerate((("ao", "aln"), ("fo", "oln"))):
        if step:
            y = graph.add("MatMul", [x, const("fi", weights["fi.weight"].T)], f"{name}.inner")
            a = graph.add("BiasGelu", [y, const("fi_bias", weights["fi.bias"])], f"{name}.gelu", _FUSED)
        y = graph.add("MatMul", [a, const(matrix, weights[f"{matrix}.weight"].T)], f"{name}.{matrix}.out")
        gain, shift = const(norm, weights[f"{norm}.weight"]), const(f"{norm}_bias", weights[f"{norm}.bias"])
        bias = const(f"{matrix}_bias", weights[f"{matrix}.bias"])
        x = graph.add("SkipLayerNormalization", [y, x, gain, shift, bias], f"{name}.{norm}.out", _FUSED, epsilon=eps)
    return x


def _stack(graph: _Graph, x: str, layers: Layers, name: str, heads: int, eps: float) -> str:
    state = _arrays(layers)
    for i in range(len(layers.layers)):
        own = {k.removeprefix(f"layers.{i}."): v for k, v in state.items() if k.startswith(f"layers.{i}.")}
        x = _layer(graph, x, own, f"{name}{i + layers.first}", heads, eps)
    return x


def build_graph(
    trunk: Trunk,
    tuned: Layers,
    frozen: Layers,
    head: Head,
    regression: tuple[Floats, Floats],
    *,
    heads: int,
    positions: int,
) -> onnx.ModelProto:
    """Inputs `input_ids` and `attention_mask`; outputs `tuned` and `base` (logits) and `embedding` (length one).

    Texts of more than `positions` tokens must be cut by the caller.
    """
    graph, eps = _Graph(), float(trunk.norm.eps)
    words = trunk.words.weight.numpy()
    # Eight bits and one scale a row: a table's common scale would be set by its few largest rows.
    scale = np.maximum(np.abs(words).max(axis=1, keepdims=True) / 127, 1e-8).astype(np.float32)
    codes = np.round(words / scale).astype(np.int8)
    g = graph.add("Gather", [graph.constant("words", codes), "input_ids"], "word_codes")
    g = graph.add("Cast", [g], "word_floats", to=TensorProto.FLOAT)
    s = graph.add("Gather", [graph.constant("word_scale", scale), "input_ids"], "word_scales")
    g = graph.add("Mul", [g, s], "word")
    zero, one = graph.constant("zero", np.array([0])), graph.constant("one", np.array([1]))
    length = graph.add("Shape", ["input_ids"], "length", start=1)
    p = graph.add(
        "Slice", [graph.constant("places", trunk.places.weight.numpy()[:positions]), zero, length, zero], "place"
    )
    x = graph.add("Add", [g, p], "embedded")
    norm = [graph.constant("norm", trunk.norm.weight.numpy()), graph.constant("norm_bias", trunk.norm.bias.numpy())]
    x = graph.add("LayerNormalization", [x, *norm], "normed", epsilon=eps)
    graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    x = _stack(graph, x, trunk.lower, "trunk", heads, eps)

    t = _stack(graph, x, tuned, "tuned", heads, eps)
    first = graph.add("Gather", [t, graph.constant("first_index", np.array(0))], "first", axis=1)
    h = _arrays(head)
    pool = [graph.constant("pool", h["pooler.weight"]), graph.constant("pool_bias", h["pooler.bias"])]
    y = graph.add("Tanh", [graph.add("Gemm", [first, *pool], "pooling", transB=1)], "pooled")
    last = [graph.constant("classes", h["classifier.weight"]), graph.constant("class_bias", h["classifier.bias"])]
    graph.add("Gemm", [y, *last], "tuned", transB=1)

    b = _stack(graph, x, frozen, "base", heads, eps)
    weight = graph.add("Cast", ["attention_mask"], "weight_flat", to=TensorProto.FLOAT)
    weight = graph.add("Unsqueeze", [weight, graph.constant("two", np.array([2]))], "weight")
    summed = graph.add("ReduceSum", [graph.add("Mul", [b, weight], "weighted"), one], "summed", keepdims=0)
    norm_of = graph.add("ReduceL2", [summed, one], "norm_of", keepdims=1)
    graph.add("Div", [summed, norm_of], "embedding")
    reg = [graph.constant("regression", regression[0]), graph.constant("regression_bias", regression[1])]
    graph.add("Gemm", ["embedding", *reg], "base")

    hidden = words.shape[1]
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
                helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", hidden]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(_FUSED, 1)],
        ir_version=10,
    )


def write_quantised(model: onnx.ModelProto, path: Path) -> None:
    """The same graph with the layers' matrices in eight bits, one scale a column.

    Seven of the eight bits are used: on CPUs without VNNI the products of the eighth overflow silently.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        onnx.save(model, whole)
        quantize_dynamic(
            whole,
            path,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["MatMul", "Attention"],
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
        )
