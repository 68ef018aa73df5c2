"""Put the layers' matrices into eight bits, and what meets them too, by ranges measured once.

Ranges measured anew for every batch, as dynamic quantisation does, cost a pass over all values and let a text's
neighbours decide how finely it is read: README.md tells what fixed ones changed.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

Feed = dict[str, npt.NDArray[np.int64]]
_FUSED = "com.microsoft"
_LEVELS = 255


def write_quantised(model: onnx.ModelProto, path: Path, texts: Iterable[Feed], *, reduce_range: bool = True) -> None:
    """Write `model` in eight bits to `path`; `texts` are inputs that show what values to expect.

    `reduce_range` uses seven of a weight's eight bits: on CPUs without VNNI the products of the eighth overflow
    silently.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole, dynamic = Path(folder) / "whole.onnx", Path(folder) / "dynamic.onnx"
        onnx.save(model, whole)
        quantize_dynamic(
            whole,
            dynamic,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=reduce_range,
            op_types_to_quantize=["MatMul", "Attention"],
            # The heads are small, and read a few loud values beside many quiet ones: eight bits would drown these.
            nodes_to_exclude=[name for node in model.graph.node if _is_of_a_head(node) for name in _named(node)],
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
        )
        quantised = onnx.load(dynamic)
    onnx.save(fix_ranges(quantised, texts), path)


def _is_of_a_head(node: onnx.NodeProto) -> bool:
    return bool(node.op_type == "Gemm" or node.name.startswith("judge."))


def _named(gemm: onnx.NodeProto) -> tuple[str, str]:
    """Its name, and that of the product which the quantiser makes of it first."""
    return gemm.name, f"{gemm.name}_MatMul"


def fix_ranges(model: onnx.ModelProto, texts: Iterable[Feed]) -> onnx.ModelProto:
    """The dynamically quantised `model` with the ranges that `texts` show in place of those of each batch."""
    graph = model.graph
    measured = [node for node in graph.node if node.op_type == "DynamicQuantizeLinear"]
    ranges = _observe(model, [node.input[0] for node in measured], texts)
    for node in measured:
        low, high = ranges[node.input[0]]
        scale = np.float32((high - low) / _LEVELS)
        name_scale, name_zero = node.output[1], node.output[2]
        graph.initializer.append(numpy_helper.from_array(scale, name_scale))
        graph.initializer.append(numpy_helper.from_array(np.uint8(np.rint(-low / scale)), name_zero))
        fixed = helper.make_node(
            "QuantizeLinear", [node.input[0], name_scale, name_zero], [node.output[0]], name=node.name
        )
        node.CopyFrom(fixed)
    _join_products(graph)
    return model


def _observe(model: onnx.ModelProto, names: list[str], texts: Iterable[Feed]) -> dict[str, tuple[float, float]]:
    """The least and largest value each tensor takes, zero included."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    names = list(dict.fromkeys(names))
    watched.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges = dict.fromkeys(names, (0.0, 0.0))
    for text in texts:
        for name, value in zip(names, session.run(names, text), strict=True):
            low, high = ranges[name]
            ranges[name] = (min(low, float(value.min())), max(high, float(value.max())))
    return ranges


def _join_products(graph: onnx.GraphProto) -> None:
    """Each integer product, its cast and its scaling as the one operator that does all three."""
    users = {name: node for node in graph.node for name in node.input}
    gone: set[str] = set()
    joined = {}
    for node in graph.node:
        if node.op_type != "MatMulInteger":
            continue
        cast = users[node.output[0]]
        product = users[cast.output[0]]
        (scaling,) = (n for n in graph.node if n.output[0] in product.input and n is not cast)
        inputs = [node.input[0], node.input[1], *scaling.input, *node.input[2:]]
        joined[node.name] = helper.make_node(
            "MatMulIntegerToFloat", inputs, [product.output[0]], name=node.name, domain=_FUSED
        )
        gone |= {cast.name, product.name, scaling.name}
    kept = [joined.get(node.name, node) for node in graph.node if node.name not in gone]
    del graph.node[:]
    graph.node.extend(kept)
