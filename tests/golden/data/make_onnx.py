#!/usr/bin/env python3
"""Makes the small ONNX models beside it that the golden tests import. Needs python3-onnx."""
import os

from onnx import TensorProto, helper, save

HERE = os.path.dirname(os.path.abspath(__file__))


def tensor(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def write(name, nodes, shape, out, weights=(), value_info=()):
    graph = helper.make_graph(nodes, name, [tensor("image", shape)], [tensor("result", out)],
                              list(weights), value_info=list(value_info))
    model = helper.make_model(graph, producer_name="make_onnx.py",
                              opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 7
    save(model, os.path.join(HERE, name + ".onnx"))


def conv_model(name, batch_and_size):
    """Conv 3x3, BatchNormalization, Relu, GlobalAveragePool, Flatten, Gemm; weights inside."""
    channels, classes = 4, 3
    ones = helper.make_tensor
    weights = [ones("conv.weight", TensorProto.FLOAT, [channels, 3, 3, 3], [0.1] * 108),
               ones("fc.weight", TensorProto.FLOAT, [classes, channels], [0.5] * 12),
               ones("fc.bias", TensorProto.FLOAT, [classes], [0.0] * 3)]
    for part in ("scale", "shift", "mean", "variance"):
        weights.append(ones("bn." + part, TensorProto.FLOAT, [channels], [1.0] * channels))
    nodes = [
        helper.make_node("Conv", ["image", "conv.weight"], ["a"], "/conv/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization",
                         ["a", "bn.scale", "bn.shift", "bn.mean", "bn.variance"], ["b"],
                         "/bn/BatchNormalization"),
        helper.make_node("Relu", ["b"], ["c"], "/relu/Relu"),
        helper.make_node("GlobalAveragePool", ["c"], ["d"], "/pool/GlobalAveragePool"),
        helper.make_node("Flatten", ["d"], ["e"], "/Flatten"),
        helper.make_node("Gemm", ["e", "fc.weight", "fc.bias"], ["result"], "/fc/Gemm", transB=1),
    ]
    write(name, nodes, batch_and_size, [batch_and_size[0], classes], weights)


conv_model("small", [1, 3, 8, 8])
conv_model("any_size", ["batch", 3, "height", "width"])
write("boxes", [helper.make_node("Relu", ["image"], ["a"], "relu"),
                helper.make_node("NonMaxSuppressionOfOurs", ["a"], ["b"], "boxes"),
                helper.make_node("Sigmoid", ["b"], ["result"], "last")],
      [1, 3, 8, 8], [1, 3, 8, 8], value_info=[tensor("b", [1, 3, 8, 8])])
external = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [0.0] * 108)
del external.float_data[:]
external.data_location = TensorProto.EXTERNAL
external.external_data.add(key="location", value="weights.bin")
write("external", [helper.make_node("Conv", ["image", "w"], ["result"], "conv")],
      [1, 3, 8, 8], [1, 4, 6, 6], [external])
