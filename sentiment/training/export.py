"""Write the served graph: one frozen trunk, a short untouched branch that is read, a tuned one, eight bits.

Built operator by operator rather than traced: onnxruntime's fused operators are named outright, so the file does not
depend on which exporter and which fusion patterns are installed.
"""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from .network import Layers
from .pipeline import Branches
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


def _layer(
    graph: _Graph,
    x: str,
    weights: dict[str, Floats],
    factors: dict[str, float],
    name: str,
    base: Base,
    *,
    only_first: bool,
) -> str:
    """One post-norm layer from fused operators; matrices transposed from torch's order.

    With `only_first` all that follows the attention is reckoned for each text's first place alone.
    """
    mark, token = ("first_is_mark", "first_is_token") if only_first else ("is_mark", "is_token")

    def const(key: str, value: Floats) -> str:
        return graph.constant(f"{name}.{key}", value)

    def multiply(value: str, matrix: str) -> str:
        """The product, the marks' rows made quieter before and as loud as they were after, padding silenced."""
        weight = const(matrix, weights[f"{matrix}.weight"].T)
        factor = factors.get(matrix, 1.0)
        if factor < _LOUD:
            return graph.add("MatMul", [value, weight], f"{name}.{matrix}.out")
        quieter = graph.constant(f"{name}.{matrix}.quieter", np.array(1 / factor, np.float32))
        rows = graph.add("Where", [mark, quieter, token], f"{name}.{matrix}.rows")
        value = graph.add("Mul", [value, rows], f"{name}.{matrix}.in")
        product = graph.add("MatMul", [value, weight], f"{name}.{matrix}.product")
        louder = graph.constant(f"{name}.{matrix}.louder", np.array(factor, np.float32))
        back = graph.add("Where", [mark, louder, token], f"{name}.{matrix}.back")
        return graph.add("Mul", [product, back], f"{name}.{matrix}.out")

    def add_and_norm(value: str, skip: str, matrix: str, norm: str) -> str:
        # One operator a step: the fused SkipLayerNormalization took six times as long on CPUs.
        bias, *scale = (const(key, weights[key]) for key in (f"{matrix}.bias", f"{norm}.weight", f"{norm}.bias"))
        biased = graph.add("Add", [multiply(value, matrix), bias], f"{name}.{matrix}.biased")
        summed = graph.add("Add", [biased, skip], f"{name}.{norm}.in")
        return graph.add("LayerNormalization", [summed, *scale], f"{name}.{norm}.out", epsilon=base.eps)

    qkv = const("qkv", np.concatenate([weights[f"{part}.weight"].T for part in "qkv"], axis=1))
    qkv_bias = const("qkv.bias", np.concatenate([weights[f"{part}.bias"] for part in "qkv"]))
    a = graph.add("Attention", [x, qkv, qkv_bias, "mask"], f"{name}.attention", _FUSED, num_heads=base.heads)
    if only_first:
        a, x = (
            graph.add("Slice", [value, "zero", "one", "one"], f"{name}.{key}.first")
            for key, value in (("attention", a), ("x", x))
        )
    x = add_and_norm(a, x, "ao", "aln")
    y = graph.add("BiasGelu", [multiply(x, "fi"), const("fi.bias", weights["fi.bias"])], f"{name}.gelu", _FUSED)
    return add_and_norm(y, x, "fo", "oln")


def _stack(
    graph: _Graph, x: str, layers: Layers, factors: Factors, name: str, base: Base, *, only_first: bool = False
) -> str:
    """The layers one after another; with `only_first` the last gives each text's first place alone."""
    state = _arrays(layers)
    for i, own_factors in enumerate(factors):
        own = {k.removeprefix(f"layers.{i}."): v for k, v in state.items() if k.startswith(f"layers.{i}.")}
        last = i == len(factors) - 1
        x = _layer(graph, x, own, own_factors, f"{name}{i + layers.first}", base, only_first=only_first and last)
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
    for value in ("is_mark", "is_token"):
        graph.add("Slice", [value, "zero", "one", "one"], f"first_{value}")


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


def _unit(graph: _Graph, value: str, name: str) -> str:
    length = graph.add("ReduceL2", [value, "one"], f"{name}.length", keepdims=1)
    return graph.add("Div", [value, length], name)


def _judge(graph: _Graph, tokens: str, weights: dict[str, Floats]) -> None:
    """TopicJudge over the tokens, as the output `topics`."""
    const = {name: graph.constant(f"judge.weights.{name}", value) for name, value in weights.items()}
    lower = graph.add("MatMul", [tokens, const["lower"]], "judge.product")
    h = graph.add("BiasGelu", [lower, const["lower_bias"]], "judge.hidden", _FUSED)
    said = graph.add("Add", [graph.add("MatMul", [h, const["say"]], "judge.saying"), const["say_bias"]], "judge.said")
    padding = graph.add("Sub", ["is_token", graph.constant("one_float", np.array(1, np.float32))], "judge.padding")
    unseen = graph.add("Mul", [padding, graph.constant("far", np.array(1e9, np.float32))], "judge.unseen")
    look = graph.add("Add", [graph.add("MatMul", [h, const["look"]], "judge.looking"), unseen], "judge.look")
    seen = graph.add("Softmax", [look], "judge.seen", axis=1)
    graph.add("ReduceSum", [graph.add("Mul", [seen, said], "judge.weighted"), "one"], "topics", keepdims=0)


def add_traits(graph: _Graph, trunk: str, side: str, tuned: str) -> None:
    """What the heads read, as the output `traits`: the embedding, pooled layers, and the answers themselves.

    `trunk`, `side` and `tuned` are the tokens after the trunk, after the untouched layers and amid the tuned ones.
    """
    count = graph.add("ReduceSum", ["is_token", "one"], "traits.count", keepdims=0)

    def mean(tokens: str, name: str) -> str:
        kept = graph.add("Mul", [tokens, "is_token"], f"{name}.kept")
        return graph.add("Div", [graph.add("ReduceSum", [kept, "one"], f"{name}.sum", keepdims=0), count], name)

    seen = graph.add("Add", [side, "judge.unseen"], "traits.seen")
    loudest = graph.add("ReduceMax", [seen, "one"], "traits.side", keepdims=0)
    pooled = ["embedding", mean(trunk, "traits.trunk"), mean(tuned, "traits.tuned"), loudest, "first"]
    graph.add("Concat", [*pooled, "tuned", "base", "topics"], "traits", axis=1)


def build_graph(parts: Branches, factors: list[Factors], *, positions: int) -> onnx.ModelProto:
    """Inputs `input_ids`, `attention_mask`; outputs `tuned`, `base`, `topics` (logits), `embedding` (of length one) and
    `traits`.

    `factors` come from smoothing.find_factors. Texts of more than `positions` tokens must be cut by the caller.
    """
    graph, base, trunk = _Graph(), parts.base, parts.trunk
    g = _words(graph, base, parts.kept)
    zero, one = graph.constant("zero", np.array([0])), graph.constant("one", np.array([1]))
    length = graph.add("Shape", ["input_ids"], "length", start=1)
    p = graph.add(
        "Slice", [graph.constant("places", trunk.places.weight.numpy()[:positions]), zero, length, zero], "place"
    )
    x = graph.add("Add", [g, p], "embedded")
    norm = [graph.constant("norm", trunk.norm.weight.numpy()), graph.constant("norm_bias", trunk.norm.bias.numpy())]
    x = graph.add("LayerNormalization", [x, *norm], "normed", epsilon=base.eps)
    graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    _marks(graph, [parts.kept.index(base.begin), parts.kept.index(base.end)])
    x = _stack(graph, x, trunk.lower, factors[0], "trunk", base)

    s = _stack(graph, x, parts.side, factors[2], "side", base)
    _judge(graph, s, parts.judge)
    t = _stack(graph, x, parts.tuned, factors[1], "tuned", base, only_first=True)
    first = graph.add("Squeeze", [t, one], "first")
    h = _arrays(parts.head)
    pool = [graph.constant("pool", h["pooler.weight"]), graph.constant("pool_bias", h["pooler.bias"])]
    y = graph.add("Tanh", [graph.add("Gemm", [first, *pool], "pooling", transB=1)], "pooled")
    last = [graph.constant("classes", h["classifier.weight"]), graph.constant("class_bias", h["classifier.bias"])]
    graph.add("Gemm", [y, *last], "tuned", transB=1)

    summed = graph.add("ReduceSum", [graph.add("Mul", [s, "is_token"], "weighted"), one], "summed", keepdims=0)
    mean = _unit(graph, summed, "mean")
    for name, (weights, bias) in (("base", parts.regression), ("likeness", parts.likeness)):
        read = [graph.constant(f"{name}.weights", weights), graph.constant(f"{name}.bias", bias)]
        graph.add("Gemm", [mean, *read], name)
    _unit(graph, "likeness", "embedding")
    amid = parts.tuned.first + len(parts.tuned.layers) // 2
    add_traits(graph, x, s, f"tuned{amid}.oln.out")
    answers = parts.judge["say_bias"].size

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
                helper.make_tensor_value_info("topics", TensorProto.FLOAT, ["batch", answers]),
                helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", base.hidden]),
                helper.make_tensor_value_info("traits", TensorProto.FLOAT, ["batch", 5 * base.hidden + 6 + answers]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(_FUSED, 1)],
        ir_version=10,
    )
