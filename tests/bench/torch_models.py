"""The models of apps/models/ in PyTorch, layer for layer, and the data as torchvision would give it."""
import gzip
import pathlib
import struct

import torch
from torch import nn

FOLDER = "/usr/share/datasets/fashion-mnist"
MEAN, STD = 0.2860, 0.3530  # of Fashion-MNIST's training images scaled to [0, 1]


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


MODELS = {"lenet": lenet, "mlp": mlp}


def idx(path):
    """An idx file of bytes, plain or .gz, as a tensor."""
    path = pathlib.Path(path)
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(path.name + ".gz").read_bytes())
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4:4 + 4 * rank])
    return torch.frombuffer(bytearray(data[4 + 4 * rank:]), dtype=torch.uint8).reshape(shape)


def split(folder, train):
    name = "train" if train else "t10k"
    return idx(f"{folder}/{name}-images-idx3-ubyte"), idx(f"{folder}/{name}-labels-idx1-ubyte").long()
