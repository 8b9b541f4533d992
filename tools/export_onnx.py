#!/usr/bin/env python3
"""Export torchvision models to ONNX, with or without weights. An example for users, and the maker of
the files in tests/data/onnx. Needs PyTorch and torchvision; on Debian:

    apt-get install python3-torch python3-torchvision python3-onnx

    tools/export_onnx.py resnet18 -o resnet18.onnx              weights (random) in the file
    tools/export_onnx.py resnet18 -o resnet18.onnx --graph-only a few kilobytes, no weights
    tools/export_onnx.py --fixtures tests/data/onnx             all test files, and the facts below

A model of your own: replace `make` by whatever builds it, call .eval(), and keep
training=TrainingMode.PRESERVE, without which batch normalisations are folded into convolutions.

--fixtures writes NAME.onnx (graph only) per model and
    models.csv   model, input shape, multiply-accumulates, parameters: counted in PyTorch with
                 forward hooks on Conv2d, Linear and MultiheadAttention, one image
    shapes.csv   model, tensor, shape: what onnx.shape_inference says, where it is complete
Needs python3-onnx for the second one.
"""
import argparse
import csv
import os
import sys
import warnings

try:
    import torch
    import torchvision
except ImportError as missing:
    torch = None
    REASON = missing

SIZES = {"inception_v3": 299}
FIXTURES = """alexnet vgg11 vgg16 vgg19 resnet18 resnet34 resnet50 resnext50_32x4d
    wide_resnet50_2 googlenet inception_v3 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large
    squeezenet1_0 squeezenet1_1 densenet121 efficientnet_b0 mnasnet0_5 mnasnet1_0
    regnet_y_400mf shufflenet_v2_x1_0 convnext_tiny vit_b_16""".split()
# Heads that only training runs.
ARGUMENTS = {"googlenet": {"aux_logits": False, "init_weights": False, "transform_input": False},
             "inception_v3": {"aux_logits": False, "init_weights": False,
                              "transform_input": False}}


def make(name):
    """The model, with random weights (nothing is downloaded), and an image for it."""
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
    size = SIZES.get(name, 224)
    return model.eval(), torch.zeros(1, 3, size, size)


def export(model, image, path, graph_only, opset):
    torch.onnx.export(model, image, path, opset_version=opset, export_params=not graph_only,
                      do_constant_folding=not graph_only, input_names=["image"],
                      output_names=["result"],
                      training=torch.onnx.TrainingMode.PRESERVE)


def count(model, image):
    """(multiply-accumulates, parameters), counted while the model runs."""
    macs = 0

    def conv(module, inputs, output):
        nonlocal macs
        macs += output.numel() * module.weight[0].numel()

    def linear(module, inputs, output):
        nonlocal macs
        macs += output.numel() * module.in_features

    def attention(module, inputs, output):
        nonlocal macs
        length, batch, width = output[0].shape  # self-attention; the first two may be swapped
        length, batch = (batch, length) if module.batch_first else (length, batch)
        projections = 4 * batch * length * width * width
        products = 2 * batch * length * length * width
        macs += projections + products

    hooks = []
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            hooks.append(module.register_forward_hook(conv))
        elif isinstance(module, torch.nn.MultiheadAttention):
            hooks.append(module.register_forward_hook(attention))
        elif isinstance(module, torch.nn.modules.linear.NonDynamicallyQuantizableLinear):
            pass  # the output projection of an attention: counted there
        elif isinstance(module, torch.nn.Linear):
            hooks.append(module.register_forward_hook(linear))
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    return macs, sum(p.numel() for p in model.parameters())


def inferred_shapes(path):
    """(tensor, shape) of every node output whose shape is fully known."""
    import onnx
    inferred = onnx.shape_inference.infer_shapes(onnx.load(path))
    outputs = {name for node in inferred.graph.node for name in node.output}
    for info in list(inferred.graph.value_info) + list(inferred.graph.output):
        dims = info.type.tensor_type.shape.dim
        if info.name in outputs and info.type.tensor_type.HasField("shape") and \
                all(d.HasField("dim_value") for d in dims):
            yield info.name, "x".join(str(d.dim_value) for d in dims) or "scalar"


def write_csv(path, comment, header, rows):
    with open(path, "w", newline="") as f:
        f.write("# %s\n" % comment)
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_fixtures(folder, opset):
    models, shapes = [], []
    for name in FIXTURES:
        path = os.path.join(folder, name + ".onnx")
        model, image = make(name)
        export(model, image, path, True, opset)
        macs, params = count(model, image)
        models.append([name, "x".join(map(str, image.shape)), macs, params])
        shapes += [[name, tensor, shape] for tensor, shape in inferred_shapes(path)]
        print(name, macs, params, os.path.getsize(path), file=sys.stderr, flush=True)
    version = "torchvision %s, torch %s" % (torchvision.__version__, torch.__version__)
    write_csv(os.path.join(folder, "models.csv"),
              version + ", counted with forward hooks by tools/export_onnx.py",
              ["model", "input", "macs", "params"], models)
    write_csv(os.path.join(folder, "shapes.csv"),
              version + ", onnx.shape_inference of onnx; by tools/export_onnx.py",
              ["model", "tensor", "shape"], shapes)


def main():
    parser = argparse.ArgumentParser(description="Export torchvision models to ONNX.")
    parser.add_argument("model", nargs="?", help="name in torchvision.models")
    parser.add_argument("-o", "--output", help="file (default: MODEL.onnx)")
    parser.add_argument("--graph-only", action="store_true", help="leave the weights out")
    parser.add_argument("--opset", type=int, default=13)
    parser.add_argument("--fixtures", metavar="FOLDER", help="write EdgeWeave's test files")
    args = parser.parse_args()
    if torch is None:
        parser.error("%s; on Debian: apt-get install python3-torch python3-torchvision python3-onnx"
                     % REASON)
    warnings.simplefilter("ignore")
    if args.fixtures:
        write_fixtures(args.fixtures, args.opset)
    elif args.model:
        model, image = make(args.model)
        export(model, image, args.output or args.model + ".onnx", args.graph_only, args.opset)
    else:
        parser.error("expected a model, or --fixtures")


if __name__ == "__main__":
    main()
