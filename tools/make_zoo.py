#!/usr/bin/env python3
"""Write dnn_graphs/*.json. A developers' tool: Python 3, standard library, same output every time.

    tools/make_zoo.py [--check] [DIRECTORY]

Without --check the files are (re)written; with it nothing is written and the exit code is 1 when a
file differs. Names of layers are those of the network's own source: torchvision module names, Caffe
names for vgg_f, darknet layer numbers for yolov2. A module that runs twice gets "_2" the second
time; functional calls, which have no module name, get a name of ours (add, cat, flatten).
"""
import json
import os
import sys

IMAGENET = "ImageNet-1k top-1"
TORCHVISION = "torchvision 0.14.1, {}, eval mode{}; accuracy: weights {}"


class Net:
    """A graph under construction. `last` is the layer that add() reads by default."""

    def __init__(self, name, source, shape, accuracy=None, metric=None):
        self.head = {"schema": "edgeweave.graph/1", "name": name, "source": source,
                     "dtype": "float32"}
        if accuracy is not None:
            self.head["accuracy"] = accuracy
        if metric is not None:
            self.head["accuracy_metric"] = metric
        self.shape = shape
        self.layers = []
        self.exits = []
        self.variants = []
        self.names = {}
        self.last = "data"
        self.previous = "data"

    def add(self, name, op, inputs=None, **attributes):
        """Append a layer that reads `inputs` (default: the one before) and return its name."""
        inputs = [self.last] if inputs is None else inputs
        count = self.names.get(name, 0) + 1
        self.names[name] = count
        name = name if count == 1 else "%s_%d" % (name, count)
        layer = {"name": name, "op": op}
        if inputs != [self.previous]:
            layer["inputs"] = inputs
        layer.update(attributes)
        self.layers.append(layer)
        self.last = self.previous = name
        return name

    def conv(self, name, out, kernel, inputs=None, **attributes):
        return self.add(name, "conv", inputs, out_channels=out, kernel=kernel, **attributes)

    def fc(self, name, out, **attributes):
        return self.add(name, "fc", out_channels=out, **attributes)

    def text(self):
        lines = ["  %s: %s," % (json.dumps(k), json.dumps(v)) for k, v in self.head.items()]
        lines.append('  "inputs": [%s],' % json.dumps({"name": "data", "shape": self.shape}))
        parts = [("layers", self.layers), ("exits", self.exits), ("variants", self.variants)]
        parts = [(key, items) for key, items in parts if items]
        for i, (key, items) in enumerate(parts):
            lines.append('  "%s": [' % key)
            lines += ["    %s%s" % (json.dumps(item), "," if k + 1 < len(items) else "")
                      for k, item in enumerate(items)]
            lines.append("  ]" + ("," if i + 1 < len(parts) else ""))
        return "{\n" + "\n".join(lines) + "\n}\n"


def torchvision(name, module, weights, accuracy, size=224, remark=""):
    return Net(name, TORCHVISION.format(module, remark, weights), [1, 3, size, size], accuracy,
               IMAGENET)


def pads_of(kernel):
    """Padding that keeps the size: one number, or [top, left, bottom, right]."""
    if isinstance(kernel, int):
        return kernel // 2
    rows, columns = kernel[0] // 2, kernel[1] // 2
    return [rows, columns, rows, columns]


def keep(**attributes):
    """Attributes that differ from the format's defaults."""
    defaults = {"stride": 1, "pads": 0}
    return {k: v for k, v in attributes.items() if defaults.get(k) != v}


def conv_bn(net, conv, bn, act, out, kernel, inputs=None, op="relu", stride=1, pads=None):
    """Convolution without bias, batch normalisation and an activation (act None: none)."""
    pads = pads_of(kernel) if pads is None else pads
    net.conv(conv, out, kernel, inputs, **keep(stride=stride, pads=pads), bias=False)
    net.add(bn, "batchnorm")
    return net.add(act, op) if act else net.last


# ---- AlexNet, VGG ----

def alexnet():
    net = torchvision("alexnet", "models/alexnet.py", "IMAGENET1K_V1", 0.56522)
    net.conv("features.0", 64, 11, stride=4, pads=2)
    net.add("features.1", "relu")
    net.add("features.2", "max_pool", kernel=3, stride=2)
    net.conv("features.3", 192, 5, pads=2)
    net.add("features.4", "relu")
    net.add("features.5", "max_pool", kernel=3, stride=2)
    for i, out in ((6, 384), (8, 256), (10, 256)):
        net.conv("features.%d" % i, out, 3, pads=1)
        net.add("features.%d" % (i + 1), "relu")
    net.add("features.12", "max_pool", kernel=3, stride=2)
    net.add("avgpool", "identity")  # adaptive to 6x6, which it is
    net.add("flatten", "flatten")
    net.add("classifier.0", "dropout")
    net.fc("classifier.1", 4096)
    net.add("classifier.2", "relu")
    net.add("classifier.3", "dropout")
    net.fc("classifier.4", 4096)
    net.add("classifier.5", "relu")
    net.fc("classifier.6", 1000)
    return net


def vgg(name, accuracy, blocks):
    net = torchvision(name, "models/vgg.py", "IMAGENET1K_V1", accuracy)
    index = 0
    for out, count in zip((64, 128, 256, 512, 512), blocks):
        for _ in range(count):
            net.conv("features.%d" % index, out, 3, pads=1)
            net.add("features.%d" % (index + 1), "relu")
            index += 2
        net.add("features.%d" % index, "max_pool", kernel=2)
        index += 1
    net.add("avgpool", "identity")  # adaptive to 7x7, which it is
    net.add("flatten", "flatten")
    net.fc("classifier.0", 4096)
    net.add("classifier.1", "relu")
    net.add("classifier.2", "dropout")
    net.fc("classifier.3", 4096)
    net.add("classifier.4", "relu")
    net.add("classifier.5", "dropout")
    net.fc("classifier.6", 1000)
    return net


def vgg_f():
    net = Net("vgg_f", "CNN-F of Chatfield et al., Return of the Devil in the Details, BMVC 2014 "
              "(recalled, high): filters, strides, pads; 3x3/2 pooling rounded up as in the released "
              "Caffe model (recalled, medium); names as there", [1, 3, 224, 224])
    net.conv("conv1", 64, 11, stride=4)
    net.add("relu1", "relu")
    net.add("norm1", "lrn", size=5)
    net.add("pool1", "max_pool", kernel=3, stride=2, ceil_mode=True)
    net.conv("conv2", 256, 5, pads=2)
    net.add("relu2", "relu")
    net.add("norm2", "lrn", size=5)
    net.add("pool2", "max_pool", kernel=3, stride=2, ceil_mode=True)
    for i in (3, 4, 5):
        net.conv("conv%d" % i, 256, 3, pads=1)
        net.add("relu%d" % i, "relu")
    net.add("pool5", "max_pool", kernel=3, stride=2, ceil_mode=True)
    for i in (6, 7):
        net.fc("fc%d" % i, 4096)
        net.add("relu%d" % i, "relu")
        net.add("drop%d" % i, "dropout")
    net.fc("fc8", 1000)
    return net


# ---- GoogLeNet, Inception v3 ----

def basic_conv(net, name, out, kernel, inputs=None, **attributes):
    """torchvision's BasicConv2d: its ReLU is a functional call."""
    return conv_bn(net, name + ".conv", name + ".bn", name + ".relu", out, kernel, inputs,
                   **attributes)


def googlenet():
    net = torchvision("googlenet", "models/googlenet.py", "IMAGENET1K_V1", 0.69778,
                      remark=" (no auxiliary heads, no transform_input)")

    def pool(name, kernel):
        net.add(name, "max_pool", kernel=kernel, stride=2, ceil_mode=True)

    def inception(name, one, three_in, three, five_in, five, proj):
        begin = net.last
        branches = [basic_conv(net, name + ".branch1", one, 1, [begin])]
        basic_conv(net, name + ".branch2.0", three_in, 1, [begin])
        branches.append(basic_conv(net, name + ".branch2.1", three, 3))
        basic_conv(net, name + ".branch3.0", five_in, 1, [begin])
        branches.append(basic_conv(net, name + ".branch3.1", five, 3))  # 3x3 in torchvision
        net.add(name + ".branch4.0", "max_pool", [begin], kernel=3, stride=1, pads=1,
                ceil_mode=True)
        branches.append(basic_conv(net, name + ".branch4.1", proj, 1))
        net.add(name + ".cat", "concat", branches)

    basic_conv(net, "conv1", 64, 7, stride=2)
    pool("maxpool1", 3)
    basic_conv(net, "conv2", 64, 1)
    basic_conv(net, "conv3", 192, 3)
    pool("maxpool2", 3)
    inception("inception3a", 64, 96, 128, 16, 32, 32)
    inception("inception3b", 128, 128, 192, 32, 96, 64)
    pool("maxpool3", 3)
    inception("inception4a", 192, 96, 208, 16, 48, 64)
    inception("inception4b", 160, 112, 224, 24, 64, 64)
    inception("inception4c", 128, 128, 256, 24, 64, 64)
    inception("inception4d", 112, 144, 288, 32, 64, 64)
    inception("inception4e", 256, 160, 320, 32, 128, 128)
    pool("maxpool4", 2)
    inception("inception5a", 256, 160, 320, 32, 128, 128)
    inception("inception5b", 384, 192, 384, 48, 128, 128)
    net.add("avgpool", "global_avg_pool")
    net.add("flatten", "flatten")
    net.add("dropout", "dropout")
    net.fc("fc", 1000)
    return net


def inception_v3():
    net = torchvision("inception_v3", "models/inception.py", "IMAGENET1K_V1", 0.77294, 299,
                      " (no auxiliary head, no transform_input)")

    def chain(name, begin, *steps):
        """A branch: steps are (suffix, filters, kernel, stride, pads)."""
        net.last = begin
        for suffix, out, kernel, stride, pads in steps:
            basic_conv(net, name + "." + suffix, out, kernel, stride=stride, pads=pads)
        return net.last

    def same(suffix, out, kernel):
        return (suffix, out, kernel, 1, pads_of(kernel))

    def halve(suffix, out):
        return (suffix, out, 3, 2, 0)

    def average(name, begin, out):
        net.add(name + ".avg_pool", "avg_pool", [begin], kernel=3, stride=1, pads=1)
        return basic_conv(net, name + ".branch_pool", out, 1)

    def shrink(name, begin):
        return net.add(name + ".max_pool", "max_pool", [begin], kernel=3, stride=2)

    def module_a(name, pool):
        x = net.last
        net.add(name + ".cat", "concat", [
            chain(name, x, same("branch1x1", 64, 1)),
            chain(name, x, same("branch5x5_1", 48, 1), same("branch5x5_2", 64, 5)),
            chain(name, x, same("branch3x3dbl_1", 64, 1), same("branch3x3dbl_2", 96, 3),
                  same("branch3x3dbl_3", 96, 3)),
            average(name, x, pool)])

    def module_b(name):
        x = net.last
        net.add(name + ".cat", "concat", [
            chain(name, x, halve("branch3x3", 384)),
            chain(name, x, same("branch3x3dbl_1", 64, 1), same("branch3x3dbl_2", 96, 3),
                  halve("branch3x3dbl_3", 96)),
            shrink(name, x)])

    def module_c(name, c7):
        x = net.last
        net.add(name + ".cat", "concat", [
            chain(name, x, same("branch1x1", 192, 1)),
            chain(name, x, same("branch7x7_1", c7, 1), same("branch7x7_2", c7, [1, 7]),
                  same("branch7x7_3", 192, [7, 1])),
            chain(name, x, same("branch7x7dbl_1", c7, 1), same("branch7x7dbl_2", c7, [7, 1]),
                  same("branch7x7dbl_3", c7, [1, 7]), same("branch7x7dbl_4", c7, [7, 1]),
                  same("branch7x7dbl_5", 192, [1, 7])),
            average(name, x, 192)])

    def module_d(name):
        x = net.last
        net.add(name + ".cat", "concat", [
            chain(name, x, same("branch3x3_1", 192, 1), halve("branch3x3_2", 320)),
            chain(name, x, same("branch7x7x3_1", 192, 1), same("branch7x7x3_2", 192, [1, 7]),
                  same("branch7x7x3_3", 192, [7, 1]), halve("branch7x7x3_4", 192)),
            shrink(name, x)])

    def fork(name, begin, prefix):
        """A 1x3 and a 3x1 convolution of one tensor, concatenated."""
        return net.add(name + "." + prefix[:-2] + "_cat", "concat", [
            chain(name, begin, same(prefix + "a", 384, [1, 3])),
            chain(name, begin, same(prefix + "b", 384, [3, 1]))])

    def module_e(name):
        x = net.last
        branches = [chain(name, x, same("branch1x1", 320, 1))]
        branches.append(fork(name, chain(name, x, same("branch3x3_1", 384, 1)), "branch3x3_2"))
        double = chain(name, x, same("branch3x3dbl_1", 448, 1), same("branch3x3dbl_2", 384, 3))
        branches.append(fork(name, double, "branch3x3dbl_3"))
        branches.append(average(name, x, 192))
        net.add(name + ".cat", "concat", branches)

    basic_conv(net, "Conv2d_1a_3x3", 32, 3, stride=2, pads=0)
    basic_conv(net, "Conv2d_2a_3x3", 32, 3, pads=0)
    basic_conv(net, "Conv2d_2b_3x3", 64, 3)
    net.add("maxpool1", "max_pool", kernel=3, stride=2)
    basic_conv(net, "Conv2d_3b_1x1", 80, 1)
    basic_conv(net, "Conv2d_4a_3x3", 192, 3, pads=0)
    net.add("maxpool2", "max_pool", kernel=3, stride=2)
    module_a("Mixed_5b", 32)
    module_a("Mixed_5c", 64)
    module_a("Mixed_5d", 64)
    module_b("Mixed_6a")
    module_c("Mixed_6b", 128)
    module_c("Mixed_6c", 160)
    module_c("Mixed_6d", 160)
    module_c("Mixed_6e", 192)
    module_d("Mixed_7a")
    module_e("Mixed_7b")
    module_e("Mixed_7c")
    net.add("avgpool", "global_avg_pool")
    net.add("dropout", "dropout")
    net.add("flatten", "flatten")
    net.fc("fc", 1000)
    return net


# ---- MobileNets ----

MOBILENET_V1_ACCURACY = ((1.0, 0.709), (0.75, 0.684), (0.5, 0.633), (0.25, 0.498))


def mobilenet_v1_name(width):
    return "mobilenet_v1" if width == 1.0 else "mobilenet_v1_%g" % width


def mobilenet_v1(width, accuracy):
    net = Net(mobilenet_v1_name(width),
              "MobileNets (Howard et al., 2017), width %g, input 224, 1000 classes; padding, ReLU6 and "
              "accuracy of tensorflow/models research/slim/nets/mobilenet_v1.md @02c04f49" % width,
              [1, 3, 224, 224], accuracy, IMAGENET)
    same = {1: 1, 2: [0, 0, 1, 1]}  # TensorFlow's SAME for a 3x3 kernel on an even size

    def channels(n):
        return max(int(n * width), 8)

    conv_bn(net, "conv0", "conv0.bn", "conv0.relu6", channels(32), 3, op="relu6", stride=2,
            pads=same[2])
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
    blocks += [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for i, (out, stride) in enumerate(blocks, 1):
        name = "conv%d" % i
        net.add(name + ".dw", "depthwise", kernel=3, **keep(stride=stride), pads=same[stride],
                bias=False)
        net.add(name + ".dw.bn", "batchnorm")
        net.add(name + ".dw.relu6", "relu6")
        conv_bn(net, name + ".pw", name + ".pw.bn", name + ".pw.relu6", channels(out), 1,
                op="relu6")
    net.add("avgpool", "global_avg_pool")
    net.add("flatten", "flatten")
    net.add("dropout", "dropout")
    net.fc("fc", 1000)
    if width == 1.0:
        net.variants = [{"name": "w%g" % w, "accuracy": a, "graph": mobilenet_v1_name(w) + ".json"}
                        for w, a in MOBILENET_V1_ACCURACY if w != 1.0]
    return net


def mobilenet_v2():
    net = torchvision("mobilenet_v2", "models/mobilenetv2.py", "IMAGENET1K_V1", 0.71878)

    def block(index, begin_channels, expand, out, stride):
        name = "features.%d" % index
        begin, step = net.last, 0
        if expand != 1:
            prefix = name + ".conv.0"
            conv_bn(net, prefix + ".0", prefix + ".1", prefix + ".2", begin_channels * expand, 1,
                    op="relu6")
            step = 1
        prefix = "%s.conv.%d" % (name, step)
        net.add(prefix + ".0", "depthwise", kernel=3, **keep(stride=stride), pads=1, bias=False)
        net.add(prefix + ".1", "batchnorm")
        net.add(prefix + ".2", "relu6")
        conv_bn(net, "%s.conv.%d" % (name, step + 1), "%s.conv.%d" % (name, step + 2), None, out, 1)
        if stride == 1 and begin_channels == out:
            net.add(name + ".add", "add", [begin, net.last])

    conv_bn(net, "features.0.0", "features.0.1", "features.0.2", 32, 3, op="relu6", stride=2)
    index, channels = 1, 32
    for expand, out, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                       (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(count):
            block(index, channels, expand, out, stride if i == 0 else 1)
            index, channels = index + 1, out
    conv_bn(net, "features.18.0", "features.18.1", "features.18.2", 1280, 1, op="relu6")
    net.add("avgpool", "global_avg_pool")
    net.add("flatten", "flatten")
    net.add("classifier.0", "dropout")
    net.fc("classifier.1", 1000)
    return net


# ---- ResNet, SqueezeNet ----

def resnet(name, accuracy, counts, is_bottleneck):
    net = torchvision(name, "models/resnet.py", "IMAGENET1K_V1", accuracy)
    conv_bn(net, "conv1", "bn1", "relu", 64, 7, stride=2)
    net.add("maxpool", "max_pool", kernel=3, stride=2, pads=1)
    channels = 64
    for stage, (width, count) in enumerate(zip((64, 128, 256, 512), counts), 1):
        out = width * (4 if is_bottleneck else 1)
        for i in range(count):
            block = "layer%d.%d" % (stage, i)
            stride = 2 if stage > 1 and i == 0 else 1
            steps = ([(width, 1, 1), (width, 3, stride), (out, 1, 1)] if is_bottleneck
                     else [(width, 3, stride), (out, 3, 1)])
            begin = shortcut = net.last
            for k, (filters, kernel, step) in enumerate(steps, 1):
                is_last = k == len(steps)
                conv_bn(net, "%s.conv%d" % (block, k), "%s.bn%d" % (block, k),
                        None if is_last else block + ".relu", filters, kernel, stride=step)
            end = net.last
            if stride != 1 or channels != out:
                shortcut = conv_bn(net, block + ".downsample.0", block + ".downsample.1", None, out,
                                   1, [begin], stride=stride)
            net.add(block + ".add", "add", [end, shortcut])
            net.add(block + ".relu", "relu")
            channels = out
    net.add("avgpool", "global_avg_pool")
    net.add("flatten", "flatten")
    net.fc("fc", 1000)
    return net


def squeezenet1_1():
    net = torchvision("squeezenet1_1", "models/squeezenet.py", "IMAGENET1K_V1", 0.58178)

    def fire(name, squeeze, expand):
        net.conv(name + ".squeeze", squeeze, 1)
        begin = net.add(name + ".squeeze_activation", "relu")
        net.conv(name + ".expand1x1", expand, 1)
        one = net.add(name + ".expand1x1_activation", "relu")
        net.conv(name + ".expand3x3", expand, 3, [begin], pads=1)
        three = net.add(name + ".expand3x3_activation", "relu")
        net.add(name + ".cat", "concat", [one, three])

    def pool(name):
        net.add(name, "max_pool", kernel=3, stride=2, ceil_mode=True)

    net.conv("features.0", 64, 3, stride=2)
    net.add("features.1", "relu")
    pool("features.2")
    fire("features.3", 16, 64)
    fire("features.4", 16, 64)
    pool("features.5")
    fire("features.6", 32, 128)
    fire("features.7", 32, 128)
    pool("features.8")
    fire("features.9", 48, 192)
    fire("features.10", 48, 192)
    fire("features.11", 64, 256)
    fire("features.12", 64, 256)
    net.add("classifier.0", "dropout")
    net.conv("classifier.1", 1000, 1)
    net.add("classifier.2", "relu")
    net.add("classifier.3", "global_avg_pool")
    net.add("flatten", "flatten")
    return net


# ---- YOLOv2 ----

def yolov2():
    net = Net("yolov2", "pjreddie/darknet cfg/yolov2.cfg, COCO head (80 classes, 5 anchors: 425 "
              "filters), input 416, layer numbers as in darknet; reorg (space to depth by 2, no "
              "arithmetic) stands as four 2x2/2 max pools and a concat, which have its shapes, its "
              "rows and columns and no parameters; the region layer is left out",
              [1, 3, 416, 416])

    def conv(index, out, kernel, inputs=None):
        name = "%d.conv" % index
        return conv_bn(net, name, name + ".bn", name + ".leaky", out, kernel, inputs,
                       op="leaky_relu")

    plan = [(32, 3), None, (64, 3), None, (128, 3), (64, 1), (128, 3), None, (256, 3), (128, 1),
            (256, 3), None, (512, 3), (256, 1), (512, 3), (256, 1), (512, 3), None, (1024, 3),
            (512, 1), (1024, 3), (512, 1), (1024, 3), (1024, 3), (1024, 3)]
    outputs = []
    for i, step in enumerate(plan):
        outputs.append(conv(i, *step) if step
                       else net.add("%d.max" % i, "max_pool", kernel=2, stride=2))
    passthrough = conv(26, 64, 1, [outputs[16]])
    quarters = [net.add("27.reorg.%d" % i, "max_pool", [passthrough], kernel=2, stride=2)
                for i in range(4)]
    reorg = net.add("27.reorg", "concat", quarters)
    net.add("28.route", "concat", [reorg, outputs[24]])
    conv(29, 1024, 3)
    net.conv("30.conv", 425, 1)
    return net


# ---- SSD, OpenPose, VoxelNet: detectors and pose, with their heads, without post-processing ----

def ssd_heads(net, features, anchors, classes):
    """A 3x3 convolution for the classes and one for the boxes, on every feature map."""
    for i, (feature, n) in enumerate(zip(features, anchors)):
        net.conv("head.classification.%d" % i, n * classes, 3, [feature], pads=1)
        net.conv("head.regression.%d" % i, n * 4, 3, [feature], pads=1)


def ssd_vgg16():
    net = Net("ssd_vgg16", "SSD300 (Liu et al., ECCV 2016) on VGG-16 as in torchvision 0.14.1, "
              "models/detection/ssd.py, ssd300_vgg16 (recalled, high), 91 COCO classes; the scale of "
              "the normalised fourth block (512 parameters) and the post-processing are left out",
              [1, 3, 300, 300])

    def conv(name, out, kernel, **attributes):
        net.conv(name, out, kernel, **attributes)
        return net.add(name + ".relu", "relu")

    fourth = None
    for block, (out, count) in enumerate(zip((64, 128, 256, 512, 512), (2, 2, 3, 3, 3)), 1):
        for i in range(1, count + 1):
            conv("conv%d_%d" % (block, i), out, 3, pads=1)
        if block == 4:
            fourth = net.last
        if block < 5:
            net.add("pool%d" % block, "max_pool", kernel=2, **({"ceil_mode": True} if block == 3
                                                               else {}))
    net.add("pool5", "max_pool", kernel=3, stride=1, pads=1)
    conv("conv6", 1024, 3, pads=6, dilation=6)
    features = [fourth, conv("conv7", 1024, 1)]
    for i, (squeeze, out, stride, pads) in enumerate(((256, 512, 2, 1), (128, 256, 2, 1),
                                                      (128, 256, 1, 0), (128, 256, 1, 0)), 8):
        conv("conv%d_1" % i, squeeze, 1)
        features.append(conv("conv%d_2" % i, out, 3, **keep(stride=stride, pads=pads)))
    ssd_heads(net, features, (4, 6, 6, 6, 4, 4), 91)
    return net


def ssd_resnet50():
    net = Net("ssd_resnet50", "SSD300 on ResNet-50 up to its third stage, without that stage's stride, "
              "as in NVIDIA's DeepLearningExamples, SSD v1.1 (recalled, high), 81 COCO classes; "
              "post-processing left out. Which SSD-ResNet50 is meant where a paper says no more is "
              "a decision of ours", [1, 3, 300, 300])
    conv_bn(net, "conv1", "bn1", "relu", 64, 7, stride=2)
    net.add("maxpool", "max_pool", kernel=3, stride=2, pads=1)
    channels = 64
    for stage, (width, count) in enumerate(((64, 3), (128, 4), (256, 6)), 1):
        for i in range(count):
            block = "layer%d.%d" % (stage, i)
            stride = 2 if stage == 2 and i == 0 else 1
            begin = shortcut = net.last
            conv_bn(net, block + ".conv1", block + ".bn1", block + ".relu", width, 1)
            conv_bn(net, block + ".conv2", block + ".bn2", block + ".relu", width, 3, stride=stride)
            end = conv_bn(net, block + ".conv3", block + ".bn3", None, 4 * width, 1)
            if channels != 4 * width:
                shortcut = conv_bn(net, block + ".downsample.0", block + ".downsample.1", None,
                                   4 * width, 1, [begin], stride=stride)
            net.add(block + ".add", "add", [end, shortcut])
            net.add(block + ".relu", "relu")
            channels = 4 * width
    features = [net.last]
    for i, (squeeze, out) in enumerate(((256, 512), (256, 512), (128, 256), (128, 256), (128, 256))):
        name = "additional.%d" % i
        conv_bn(net, name + ".0", name + ".1", name + ".2", squeeze, 1)
        features.append(conv_bn(net, name + ".3", name + ".4", name + ".5", out, 3,
                                stride=2 if i < 3 else 1, pads=1 if i < 3 else 0))
    ssd_heads(net, features, (4, 6, 6, 6, 4, 4), 81)
    return net


def openpose():
    net = Net("openpose", "OpenPose, body model for COCO (Cao et al., CVPR 2017): ten layers of VGG-19, "
              "two branches of six stages (recalled, high), input 368x368; decoding left out",
              [1, 3, 368, 368])

    def conv(name, out, kernel, inputs=None, is_last=False):
        net.conv(name, out, kernel, inputs, **keep(pads=kernel // 2))
        return net.last if is_last else net.add(name + ".relu", "relu")

    for block, (out, count) in enumerate(((64, 2), (128, 2), (256, 4), (512, 2)), 1):
        for i in range(1, count + 1):
            conv("conv%d_%d" % (block, i), out, 3)
        if block < 4:
            net.add("pool%d" % block, "max_pool", kernel=2)
    conv("conv4_3_CPM", 256, 3)
    feature = conv("conv4_4_CPM", 128, 3)
    ends = []
    for branch, out in ((1, 38), (2, 19)):
        inputs = [feature]
        for i in (1, 2, 3):
            conv("conv5_%d_CPM_L%d" % (i, branch), 128, 3, inputs)
            inputs = None
        conv("conv5_4_CPM_L%d" % branch, 512, 1)
        ends.append(conv("conv5_5_CPM_L%d" % branch, out, 1, None, True))
    for stage in range(2, 7):
        begin = net.add("concat_stage%d" % stage, "concat", ends + [feature])
        ends = []
        for branch, out in ((1, 38), (2, 19)):
            inputs = [begin]
            for i in range(1, 6):
                conv("Mconv%d_stage%d_L%d" % (i, stage, branch), 128, 7, inputs)
                inputs = None
            conv("Mconv6_stage%d_L%d" % (stage, branch), 128, 1)
            ends.append(conv("Mconv7_stage%d_L%d" % (stage, branch), out, 1, None, True))
    return net


def voxelnet():
    net = Net("voxelnet", "VoxelNet (Zhou, Tuzel; CVPR 2018): its region proposal network for cars on "
              "the bird's-eye map of 128x400x352 (recalled, high). Features of voxels and the 3-D "
              "convolutions before it are left out, since they are no 2-D layers. The two strided "
              "deconvolutions (kernel = stride) stand as upsampling and a 1x1 convolution, which have "
              "their shapes and multiply-accumulates but fewer parameters", [1, 128, 400, 352])
    outputs = []
    for block, (out, count) in enumerate(((128, 4), (128, 6), (256, 6)), 1):
        for i in range(1, count + 1):
            name = "block%d.conv%d" % (block, i)
            conv_bn(net, name, name + ".bn", name + ".relu", out, 3, stride=2 if i == 1 else 1)
        outputs.append(net.last)
    ups = [conv_bn(net, "deconv1", "deconv1.bn", "deconv1.relu", 256, 3, [outputs[0]])]
    for i, scale in ((2, 2), (3, 4)):
        name = "deconv%d" % i
        net.add(name + ".up", "upsample", [outputs[i - 1]], scale=scale)
        ups.append(conv_bn(net, name, name + ".bn", name + ".relu", 256, 1))
    joined = net.add("concat", "concat", ups)
    net.conv("score", 2, 1, [joined])
    net.conv("regression", 14, 1, [joined])
    return net


# ---- Edgent ----

def edgent_alexnet():
    net = Net("edgent_alexnet",
              "Edgent (Li, Zhou, Chen; MECOMM 2018, arXiv:1806.07840v2): five-exit AlexNet for "
              "CIFAR-10. Main branch, layer counts of the exits and accuracies of exits 1 and 5 from "
              "its figures (order verified, sizes digitised and inferred). Layers of the side branches "
              "and accuracies of exits 2-4 are proposals of ours, consistent with the counts; biases, "
              "which the paper does not list, are left out", [1, 3, 32, 32], 0.782, "CIFAR-10 top-1")

    def conv(name, out, kernel, inputs=None):
        net.conv(name, out, kernel, inputs, pads=kernel // 2, bias=False)

    def pool(name):
        return net.add(name, "max_pool", kernel=3, stride=2, ceil_mode=True)

    def branch(exit, begin, first, first_kernel, second, has_dropout):
        """conv relu pool lrn conv relu pool [dropout] fc"""
        conv(exit + "_conv_1", first, first_kernel, [begin])
        net.add(exit + "_relu_1", "relu")
        pool(exit + "_pool_1")
        net.add(exit + "_lrn_1", "lrn", size=3)
        conv(exit + "_conv_2", second, 3)
        net.add(exit + "_relu_2", "relu")
        pool(exit + "_pool_2")
        if has_dropout:
            net.add(exit + "_dropout_1", "dropout")
        net.fc(exit + "_fc_1", 10, bias=False)

    for i, (out, kernel) in enumerate(((64, 5), (128, 5)), 1):
        conv("conv_%d" % i, out, kernel)
        net.add("relu_%d" % i, "relu")
        pool("pool_%d" % i)
        net.add("lrn_%d" % i, "lrn", size=3)
    for i, out in ((3, 192), (4, 192), (5, 128)):
        conv("conv_%d" % i, out, 3)
        net.add("relu_%d" % i, "relu")
    pool("pool_3")
    for i, out in ((1, 512), (2, 256)):
        net.fc("fc_%d" % i, out, bias=False)
        net.add("relu_%d" % (i + 5), "relu")
        net.add("dropout_%d" % i, "dropout")
    net.fc("fc_3", 10, bias=False)

    branch("exit1", "lrn_1", 128, 5, 192, False)
    branch("exit2", "lrn_2", 192, 3, 128, False)
    branch("exit3", "relu_3", 192, 3, 128, True)
    conv("exit4_conv_1", 128, 3, ["relu_4"])
    net.add("exit4_relu_1", "relu")
    pool("exit4_pool_1")
    net.add("exit4_lrn_1", "lrn", size=3)
    net.fc("exit4_fc_1", 256, bias=False)
    net.add("exit4_relu_2", "relu")
    net.add("exit4_dropout_1", "dropout")
    net.fc("exit4_fc_2", 10, bias=False)
    ends = ("exit1_fc_1", "exit2_fc_1", "exit3_fc_1", "exit4_fc_2", "fc_3")
    net.exits = [{"name": "exit%d" % i, "layer": layer, "accuracy": accuracy}
                 for i, (layer, accuracy) in
                 enumerate(zip(ends, (0.747, 0.756, 0.765, 0.773, 0.782)), 1)]
    return net


def zoo():
    nets = [alexnet(), vgg("vgg11", 0.6902, (1, 1, 2, 2, 2)), vgg("vgg16", 0.71592, (2, 2, 3, 3, 3)),
            vgg("vgg19", 0.72376, (2, 2, 4, 4, 4)), vgg_f(), googlenet(), inception_v3(),
            mobilenet_v2(), resnet("resnet18", 0.69758, (2, 2, 2, 2), False),
            resnet("resnet50", 0.7613, (3, 4, 6, 3), True), squeezenet1_1(), yolov2(),
            ssd_vgg16(), ssd_resnet50(), openpose(), voxelnet(), edgent_alexnet()]
    return nets + [mobilenet_v1(width, accuracy) for width, accuracy in MOBILENET_V1_ACCURACY]


def main(arguments):
    is_check = "--check" in arguments
    directories = [a for a in arguments if a != "--check"]
    if len(directories) > 1:
        sys.exit("usage: make_zoo.py [--check] [DIRECTORY]")
    here = os.path.dirname(os.path.abspath(__file__))
    directory = directories[0] if directories else os.path.join(here, "..", "dnn_graphs")
    differing = []
    for net in zoo():
        path = os.path.join(directory, net.head["name"] + ".json")
        text = net.text()
        if is_check:
            try:
                with open(path, encoding="utf-8") as f:
                    is_same = f.read() == text
            except FileNotFoundError:
                is_same = False
            if not is_same:
                differing.append(path)
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
    for path in differing:
        print("%s differs from what tools/make_zoo.py writes" % path, file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
