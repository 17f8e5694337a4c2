#!/usr/bin/env python3
"""Writes tests/golden/batch_norm.json: what PyTorch makes, in float64, of a small network with batch normalisation that
sees three batches in training, and one in evaluation after them. Needs torch; tests/test_batch_norm.c compares.

  tensors    the state dict before; `after` is it afterwards
  batches    [batch, 2, 5, 6] each; `logits` is what the network makes of each in training
  evaluated  what it makes of the first batch in evaluation, after the three
Tensors are {dtype, shape, data}."""
import collections
import json
import pathlib

import torch
from torch import nn

from make_vectors import draw, tensor

OUT = pathlib.Path(__file__).resolve().parent / "golden" / "batch_norm.json"


def network():
    return nn.Sequential(collections.OrderedDict([
        ("conv", nn.Conv2d(2, 4, 3, padding=1, bias=False)), ("norm", nn.BatchNorm2d(4)), ("relu", nn.ReLU()),
        ("depthwise", nn.Conv2d(4, 4, 3, 2, groups=4)), ("plain", nn.BatchNorm2d(4, 1e-3, 0.25, affine=False)),
        ("flatten", nn.Flatten()), ("fc", nn.Linear(16, 3))]))


def state(model):
    return {n: tensor(t, "f32" if t.is_floating_point() else "i64") for n, t in model.state_dict().items()}


def main():
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    model = network()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(draw(*p.shape) / 4)
    found = {"tensors": state(model)}
    batches = [draw(3, 2, 5, 6) + i for i in range(3)]
    found["batches"] = [tensor(x) for x in batches]
    found["logits"] = [tensor(model(x).detach()) for x in batches]
    found["after"] = state(model)
    found["evaluated"] = tensor(model.eval()(batches[0]).detach())
    OUT.write_text(json.dumps(found, separators=(",", ":")).replace('],"', '],\n"') + "\n")


if __name__ == "__main__":
    main()
