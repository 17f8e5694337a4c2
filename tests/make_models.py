"""Writes tests/golden/models.txt: what PyTorch says of the networks that apps/models has. Needs torch and torchvision;
run it from anywhere. tests/test_models.c reads the same from the model files and compares.

    model NAME CHANNELSxHEIGHTxWIDTH CLASSES PARAMETERS FLOPS    # FLOPs of one picture, by torch.utils.flop_counter
    NAME DTYPE DIMxDIM MEAN STD MIN MAX                          # every tensor of state_dict(), in its order; of
                                                                 # floats, what a fresh network has
    outputs CHANNELSxHEIGHTxWIDTH CLASSES NUMBER...              # in evaluation, of two pictures, from formulas
"""
import collections
import pathlib

import numpy
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models
from torchvision.models.vision_transformer import VisionTransformer

GOLDEN = pathlib.Path(__file__).parent / "golden" / "models.txt"


# ---- the networks of the courses, as they write them ----

class Down(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.seq = nn.Sequential(nn.Conv2d(before, after, kernel_size=(5, 5), padding="same"),
                                 nn.MaxPool2d(kernel_size=(2, 2), stride=(2, 2)), nn.BatchNorm2d(after), nn.ReLU())

    def forward(self, x):
        return self.seq(x)


class CatsDogs(nn.Module):
    def __init__(self, classes, side):
        super().__init__()
        self.seq = nn.Sequential(Down(3, 32), nn.Dropout2d(0.2), Down(32, 64), nn.Dropout2d(0.2), Down(64, 128),
                                 nn.Dropout2d(0.2), Down(128, 256), nn.Dropout2d(0.2), nn.Flatten(),
                                 nn.Linear(256 * (side // 16) ** 2, 512), nn.ReLU(), nn.Dropout(0.5),
                                 nn.Linear(512, classes))

    def forward(self, x):
        return self.seq(x)


class Functions(nn.Module):
    """Layers by name, and a forward made of them."""
    def __init__(self, forward, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.function = forward

    def forward(self, x):
        return self.function(self, x)


def ann(classes):
    return Functions(lambda m, x: m.fc2(m.relu(m.fc1(x.flatten(1)))), fc1=nn.Linear(28 * 28, 128),
                     fc2=nn.Linear(128, classes), relu=nn.ReLU())


def net_001(classes):
    def forward(m, x):
        x = m.pool(functional.relu(m.conv2(functional.relu(m.conv1(x)))))
        return functional.log_softmax(m.fc2(functional.relu(m.fc1(x.flatten(1)))), dim=1)
    return Functions(forward, conv1=nn.Conv2d(1, 32, kernel_size=3), conv2=nn.Conv2d(32, 64, kernel_size=3),
                     pool=nn.MaxPool2d(kernel_size=2, stride=2), fc1=nn.Linear(64 * 12 * 12, 128),
                     fc2=nn.Linear(128, classes))


def amelie(classes):
    def forward(m, x):
        x = m.pool1(m.relu1(m.bn1(m.conv1(x))))
        x = m.pool2(m.relu2(m.bn2(m.conv2(x))))
        x = m.pool3(m.relu3(m.bn3(m.conv3(x))))
        return m.fc1(x.flatten(1))
    layers = {}
    for i, (before, after) in enumerate(((1, 32), (32, 64), (64, 128)), 1):
        layers |= {f"conv{i}": nn.Conv2d(before, after, kernel_size=3, padding=1), f"bn{i}": nn.BatchNorm2d(after),
                   f"relu{i}": nn.ReLU(), f"pool{i}": nn.MaxPool2d(kernel_size=2, stride=2)}
    return Functions(forward, **layers, fc1=nn.Linear(128 * 3 * 3, classes))


class ResidualBlock(nn.Module):
    def __init__(self, before, after, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(after, after, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = nn.Sequential()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, kernel_size=1, stride=stride, bias=False),
                                          nn.BatchNorm2d(after))

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return self.relu(out)


def resnet_001(classes):
    def stage(before, after, stride):
        return nn.Sequential(ResidualBlock(before, after, stride), ResidualBlock(after, after))
    return nn.Sequential(collections.OrderedDict(
        conv1=nn.Conv2d(1, 64, kernel_size=3, padding=1, bias=False), bn1=nn.BatchNorm2d(64), relu=nn.ReLU(),
        layer1=stage(64, 64, 1), layer2=stage(64, 128, 2), layer3=stage(128, 256, 2),
        avg_pool=nn.AdaptiveAvgPool2d((1, 1)), flatten=nn.Flatten(), fc=nn.Linear(256, classes)))


def lenet(channels, first, second, features, hidden, classes, pool_after_second=True):
    layers = collections.OrderedDict(conv1=nn.Conv2d(channels, first, 5), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
                                     conv2=nn.Conv2d(first, second, 5), relu2=nn.ReLU())
    if pool_after_second:
        layers["pool2"] = nn.MaxPool2d(2)
    layers |= dict(flatten=nn.Flatten(), fc1=nn.Linear(features, hidden[0]), relu3=nn.ReLU(),
                   fc2=nn.Linear(*hidden), relu4=nn.ReLU(), fc3=nn.Linear(hidden[1], classes))
    return nn.Sequential(layers)


def convnet(classes, side):
    encoder = []
    for before, after in ((3, 4), (4, 8), (8, 16)):
        encoder += [nn.Conv2d(before, after, kernel_size=3, padding="same"), nn.ReLU(), nn.MaxPool2d(2)]
    head = nn.Sequential(nn.Linear(16 * (side // 8) ** 2, 32), nn.ReLU(), nn.Linear(32, classes))
    return nn.Sequential(collections.OrderedDict(encoder=nn.Sequential(*encoder), flatten=nn.Flatten(), head=head))


# ---- known ones for small pictures ----

def small_resnet(make, classes):
    model = make(num_classes=classes)
    model.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")  # as its other convolutions
    model.maxpool = nn.Identity()
    return model


def small_vgg(make, classes):
    return nn.Sequential(collections.OrderedDict(features=make().features, flatten=nn.Flatten(),
                                                 classifier=nn.Linear(512, classes)))


def vit(classes):
    model = VisionTransformer(image_size=32, patch_size=4, num_layers=6, num_heads=3, hidden_dim=192, mlp_dim=768,
                              num_classes=classes)
    return model


# name: (how to make it, size and classes to describe it at, size and classes to run it at, or None)
NETWORKS = {
    "lenet": (lambda n, s: lenet(1, 6, 16, 256, (120, 84), n), (1, 28, 10), (1, 28, 10)),
    "mlp": (lambda n, s: ann(n), (1, 28, 10), (1, 28, 10)),
    "cats-dogs-000": (CatsDogs, (3, 128, 2), (3, 32, 2)),
    "ann-001": (lambda n, s: ann(n), (1, 28, 10), (1, 28, 10)),
    "net-001": (lambda n, s: net_001(n), (1, 28, 10), (1, 28, 10)),
    "amelie-001": (lambda n, s: amelie(n), (1, 28, 10), (1, 28, 10)),
    "resnet-001": (lambda n, s: resnet_001(n), (1, 28, 10), (1, 28, 10)),
    "net-002": (lambda n, s: lenet(3, 6, 16, 1600, (120, 84), n, False), (3, 32, 10), (3, 32, 10)),
    "mnistnet-003": (lambda n, s: lenet(1, 8, 16, 256, (128, 64), n), (1, 28, 10), (1, 28, 10)),
    "convnet-004": (convnet, (3, 224, 10), (3, 64, 2)),
    "resnet18": (lambda n, s: models.resnet18(num_classes=n), (3, 224, 1000), (3, 64, 10)),
    "resnet34": (lambda n, s: models.resnet34(num_classes=n), (3, 224, 1000), (3, 64, 10)),
    "resnet18-cifar": (lambda n, s: small_resnet(models.resnet18, n), (3, 32, 10), (3, 16, 10)),
    "resnet34-cifar": (lambda n, s: small_resnet(models.resnet34, n), (3, 32, 10), (3, 16, 10)),
    "vgg11": (lambda n, s: models.vgg11(num_classes=n), (3, 224, 1000), None),
    "vgg11-bn": (lambda n, s: models.vgg11_bn(num_classes=n), (3, 224, 1000), None),
    "vgg16": (lambda n, s: models.vgg16(num_classes=n), (3, 224, 1000), None),
    "vgg16-bn": (lambda n, s: models.vgg16_bn(num_classes=n), (3, 224, 1000), None),
    "vgg11-bn-cifar": (lambda n, s: small_vgg(models.vgg11_bn, n), (3, 32, 10), (3, 32, 10)),
    "vgg16-bn-cifar": (lambda n, s: small_vgg(models.vgg16_bn, n), (3, 32, 10), (3, 32, 10)),
    "mobilenet-v2": (lambda n, s: models.mobilenet_v2(num_classes=n), (3, 224, 1000), (3, 64, 10)),
    "vit-cifar": (lambda n, s: vit(n), (3, 32, 10), (3, 32, 10)),
}


# ---- what tests/test_models.c does, too ----

def noise(stream, n):
    """n numbers in [-1, 1): a multiplicative hash of the position, finished as in MurmurHash3."""
    h = (numpy.arange(n, dtype=numpy.uint64) + numpy.uint64(stream * 1000003)) & numpy.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h ^= h >> numpy.uint64(shift)
        h = (h * numpy.uint64(factor)) & numpy.uint64(0xFFFFFFFF)
    return 2 * ((h >> numpy.uint64(8)).astype(numpy.float64) * 2.0**-24) - 1


def fill(k, name, tensor):
    """Numbers of a size that goes through many layers."""
    u = noise(10 + k, tensor.numel())
    if tensor.dtype == torch.int64:
        return
    if name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
        u = 1 + u / 2
    elif tensor.dim() <= 1:
        u = u / 4
    else:
        u = u * numpy.sqrt(6.0 / (tensor.numel() // tensor.shape[0]))
    tensor.copy_(torch.from_numpy(u.astype(numpy.float32)).reshape(tensor.shape))


def begins(tensor):
    if tensor.dtype != torch.float32:
        return ""
    x = tensor.double()
    return " ".join(f"{v:.7g}" for v in (x.mean(), x.std(correction=0), x.min(), x.max()))


def outputs(model, channels, side):
    x = torch.from_numpy(noise(1, 2 * channels * side * side).astype(numpy.float32)).reshape(2, channels, side, side)
    with torch.no_grad():
        for k, (name, tensor) in enumerate(model.state_dict().items()):
            fill(k, name, tensor)
        return model.double().eval()(x.double()).flatten().tolist()


def main():
    torch.manual_seed(0)
    lines = ["# Written by make_models.py with PyTorch and torchvision."]
    for name, (make, size, small) in NETWORKS.items():
        channels, side, classes = size
        model = make(classes, side).eval()
        count = sum(p.numel() for p in model.parameters())
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, channels, side, side))
        print(name, count, counter.get_total_flops())
        lines.append(f"model {name} {channels}x{side}x{side} {classes} {count} {counter.get_total_flops()}")
        for tensor_name, tensor in model.state_dict().items():
            dtype = {torch.float32: "f32", torch.int64: "i64"}[tensor.dtype]
            lines.append(f"{tensor_name} {dtype} {'x'.join(map(str, tensor.shape))} {begins(tensor)}".rstrip())
        if small:
            channels, side, classes = small
            numbers = " ".join(f"{v:.9g}" for v in outputs(make(classes, side), channels, side))
            lines.append(f"outputs {channels}x{side}x{side} {classes} {numbers}")
    GOLDEN.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
