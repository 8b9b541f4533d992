#!/usr/bin/env python3
"""Make models with weights, an input, and the output PyTorch computes: what the kernels of real
execution are compared with. On Debian: apt-get install python3-torch python3-torchvision

    tools/make_outputs.py tests/data/outputs          the small, committed ones
    tools/make_outputs.py --large FOLDER [MODEL...]   torchvision's, 2 MB to 550 MB each

Writes NAME.onnx (seeded weights, batch normalisations with statistics of their own), and
NAME.input and NAME.output: float32, little-endian, row-major.
"""
import argparse
import os
import sys
import warnings

import torch
from torch import nn
from torch.nn import functional as F

LARGE = """alexnet vgg16 googlenet resnet18 resnet50 mobilenet_v2 inception_v3 squeezenet1_0
    densenet121""".split()
SIZES = {"inception_v3": 299}
ARGUMENTS = {"googlenet": {"aux_logits": False, "init_weights": False, "transform_input": False},
             "inception_v3": {"aux_logits": False, "init_weights": False,
                              "transform_input": False}}


class Lrn(torch.autograd.Function):
    """LRN as one node; the exporter would take it apart."""
    @staticmethod
    def forward(ctx, x):
        return F.local_response_norm(x, 5, alpha=1e-2, beta=0.75, k=2.0)

    @staticmethod
    def symbolic(g, x):
        return g.op("LRN", x, size_i=5, alpha_f=1e-2, beta_f=0.75, bias_f=2.0)


def conv(inputs, outputs, kernel, **more):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, bias=False, **more),
                         nn.BatchNorm2d(outputs))


class Convolutions(nn.Module):
    """What the classic networks are made of."""
    size = (3, 33, 35)

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 16, 5, stride=2, padding=2)
        self.deep = nn.Conv2d(16, 24, 3, padding=1, groups=2)
        self.wide = conv(24, 24, 3, padding=1, groups=24)
        self.thin = conv(24, 16, 1)
        self.left = nn.Conv2d(16, 9, (1, 3), padding=(0, 1))
        self.right = nn.Conv2d(16, 7, 3, padding=2, dilation=2)
        self.pre = nn.BatchNorm2d(16)
        self.first = nn.Linear(16 * 4 * 4, 40)
        self.last = nn.Linear(40, 10)

    def forward(self, x):
        x = F.max_pool2d(Lrn.apply(F.relu(self.stem(x))), 3, 2, ceil_mode=True)
        x = x + self.thin(F.relu6(self.wide(F.leaky_relu(self.deep(x), 0.05))))
        x = torch.cat([self.left(x), torch.tanh(self.right(x))], 1)
        x = F.avg_pool2d(torch.sigmoid(self.pre(x)), 2, 2, count_include_pad=False, padding=0)
        x = F.max_pool2d(F.pad(x, (1, 0, 0, 1)), 2, 1)
        x = F.relu(self.first(torch.flatten(x[:, :, :4, :4], 1)))
        return F.softmax(self.last(x), 1)


class Transformer(nn.Module):
    """A vision transformer of two blocks, written out: every op that one has."""
    size = (3, 16, 16)

    def __init__(self, width=32, heads=4):
        super().__init__()
        self.heads = heads
        self.patch = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.place = nn.Parameter(torch.randn(1, 17, width) * 0.1)
        self.blocks = nn.ModuleList()
        for _ in range(2):
            self.blocks.append(nn.ModuleDict({
                "one": nn.LayerNorm(width), "q": nn.Linear(width, width),
                "k": nn.Linear(width, width), "v": nn.Linear(width, width),
                "out": nn.Linear(width, width), "two": nn.LayerNorm(width, eps=1e-6),
                "up": nn.Linear(width, 2 * width), "down": nn.Linear(2 * width, width)}))
        self.head = nn.Linear(width, 7)

    def split(self, x):
        return x.reshape(17, self.heads, -1).transpose(0, 1)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token, x], 1) + self.place
        for b in self.blocks:
            y = b["one"](x)
            q, k, v = (self.split(b[name](y)) for name in "qkv")
            a = F.softmax(q @ k.transpose(1, 2) * 0.35, -1) @ v
            x = x + b["out"](a.transpose(0, 1).reshape(1, 17, -1))
            x = x + b["down"](F.gelu(b["up"](b["two"](x))))
        return self.head(x[:, 0])


class Rearranged(nn.Module):
    """Shuffles, slices, resizes, transposed convolutions and the rarer functions."""
    size = (4, 9, 11)

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(4, 12, 1)
        self.up = nn.ConvTranspose2d(12, 8, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.gate = nn.Conv2d(8, 8, 1)
        self.slope = nn.PReLU(8)
        self.gain = nn.Parameter(torch.rand(8, 1, 1) + 0.5)
        self.shift = nn.Parameter(torch.rand(1, 1, 22))
        self.norm = nn.InstanceNorm2d(8, affine=True)

    def forward(self, x):
        x = self.a(x)
        x = x.reshape(1, 3, 4, 9, 11).transpose(1, 2).reshape(1, 12, 9, 11)
        left, right = x.chunk(2, 1)
        x = torch.cat([F.elu(left, 0.7), F.softplus(right)], 1)
        x = self.up(x)
        y = F.hardswish(x) + F.silu(x) - F.hardsigmoid(x) * F.softsign(x)
        y = y * torch.sigmoid(self.gate(y.mean((2, 3), keepdim=True)))
        y = self.slope(y) * self.gain + self.shift
        y = self.norm(y)
        a = F.interpolate(y, size=(13, 17), mode="bilinear", align_corners=False)
        b = F.interpolate(y[:, :, ::2, 1::2], size=(13, 17), mode="bilinear", align_corners=True)
        c = F.interpolate(y[:, :, 2:8, 3:9], size=(13, 17), mode="bicubic", align_corners=False)
        d = F.interpolate(y[:, :, :13, :17], scale_factor=2, mode="nearest")[:, :, 5:18, 4:21]
        z = torch.max(a, b) - torch.min(c, d) / (2.5 + torch.exp(-torch.abs(a)))
        z = torch.clamp(z, -1.5, 2) * 0.5 + torch.sqrt(torch.abs(z)) + F.celu(1 - z, 1.3)
        return F.softmax(torch.cat([F.selu(z), F.log_softmax(z, 2)], 2), 3)


SMALL = {"convolutions": Convolutions, "transformer": Transformer, "rearranged": Rearranged}


def settle(model):
    """Statistics and biases that differ from what they are made with, in evaluation mode."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm, nn.InstanceNorm2d)):
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.uniform_(module.bias, -0.1, 0.1)
    return model.eval()


def write(folder, name, model, image):
    path = os.path.join(folder, name)
    with torch.no_grad():
        result = model(image)
    torch.onnx.export(model, image, path + ".onnx", opset_version=13, do_constant_folding=True,
                      input_names=["image"], output_names=["result"],
                      training=torch.onnx.TrainingMode.PRESERVE)
    image.numpy().astype("<f4").tofile(path + ".input")
    result.numpy().astype("<f4").tofile(path + ".output")
    print(name, list(result.shape), os.path.getsize(path + ".onnx"), file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description="Make models and what they compute.")
    parser.add_argument("folder")
    parser.add_argument("models", nargs="*", help="some of them only")
    parser.add_argument("--large", action="store_true", help="torchvision's models")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in args.models or (LARGE if args.large else SMALL):
        torch.manual_seed(1)
        if args.large:
            import torchvision
            model = torchvision.models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
            shape = (3,) + (SIZES.get(name, 224),) * 2
        else:
            model, shape = SMALL[name](), SMALL[name].size
        write(args.folder, name, settle(model), torch.rand(1, *shape) * 2 - 1)


if __name__ == "__main__":
    main()
