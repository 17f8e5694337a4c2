"""Writes tests/golden/parity_MODEL_RUN.safetensors: what PyTorch makes of ten training steps. Needs torch and
safetensors; run it from anywhere, with names of runs for these alone. tests/test_parity.c makes the same inputs from the same formulas and compares.

Each file holds, in float64, `loss`, [10], before each step, and of every parameter after the last step each stride-th
element.
"""
import collections.abc
import dataclasses
import pathlib
import sys

import numpy
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from make_vectors import Lars

STEPS, BATCH = 10, 64
STREAM = 102  # of the noise in the images
GOLDEN = pathlib.Path(__file__).parent / "golden"


def noise(stream, n):
    """n words of 32 bits: a multiplicative hash of the position, finished as in MurmurHash3."""
    h = (numpy.arange(n, dtype=numpy.uint64) + numpy.uint64(stream * 1000003)) & numpy.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h ^= h >> numpy.uint64(shift)
        h = (h * numpy.uint64(factor)) & numpy.uint64(0xFFFFFFFF)
    return h


def images_and_labels():
    n = STEPS * BATCH
    labels = (noise(1, n) % numpy.uint64(10)).astype(numpy.int64)
    y, x = numpy.mgrid[0:28, 0:28]
    stripes = (y * labels[:, None, None] + 3 * x) % 28 < 14
    pixels = noise(STREAM, n * 784).reshape(n, 28, 28) % numpy.uint64(128) + 100 * stripes.astype(numpy.uint64)
    return torch.from_numpy(pixels.astype(numpy.float32)).unsqueeze(1), torch.from_numpy(labels)


def initialise(model):
    """Uniform in [-b, b), b = 1/4 in convolutions and 1/8 elsewhere: exact in float."""
    for k, (name, p) in enumerate(model.named_parameters()):
        bound = 0.25 if name.startswith("conv") else 0.125
        unit = (noise(10 + k, p.numel()) >> numpy.uint64(8)).astype(numpy.float64) * 2.0**-24
        with torch.no_grad():
            p.copy_(torch.from_numpy(((2 * unit - 1) * bound).astype(numpy.float32)).reshape(p.shape))


def lenet():
    return nn.Sequential(collections.OrderedDict([
        ("conv1", nn.Conv2d(1, 6, 5)), ("relu1", nn.ReLU()), ("pool1", nn.MaxPool2d(2)),
        ("conv2", nn.Conv2d(6, 16, 5)), ("relu2", nn.ReLU()), ("pool2", nn.MaxPool2d(2)), ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(256, 120)), ("relu3", nn.ReLU()), ("fc2", nn.Linear(120, 84)), ("relu4", nn.ReLU()),
        ("fc3", nn.Linear(84, 10))]))


def mlp():
    return nn.Sequential(collections.OrderedDict([
        ("flatten", nn.Flatten()), ("fc1", nn.Linear(784, 128)), ("relu", nn.ReLU()), ("fc2", nn.Linear(128, 10))]))


def onehot(labels, logits):
    return functional.one_hot(labels, 10).to(logits.dtype)


def smoothed(logits, labels):
    weights = (torch.arange(10, dtype=logits.dtype) + 1) / 8
    return functional.cross_entropy(logits, labels, weights, label_smoothing=0.125)


def mse(logits, labels):
    return functional.mse_loss(logits, onehot(labels, logits))


def bce(logits, labels):
    return functional.binary_cross_entropy_with_logits(logits, onehot(labels, logits))


def momentum(model, **more):
    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, **more)


def groups(model):
    decay, plain = [], []
    for name, p in model.named_parameters():
        (plain if name.endswith("bias") else decay).append(p)
    return torch.optim.SGD([{"params": decay, "weight_decay": 0.1}, {"params": plain, "lr": 0.04}], lr=0.01, momentum=0.9)


def one_cycle(optimizer):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=optimizer.defaults["lr"], total_steps=STEPS,
                                               pct_start=0.4)


@dataclasses.dataclass
class Run:
    optimizer: collections.abc.Callable  # of the model
    models: tuple = (mlp,)
    stride: int = 101  # no factor in common with any dimension: it visits all rows and columns
    loss: collections.abc.Callable = functional.cross_entropy
    l1: float = 0
    clip: float = 0  # largest norm of the gradients
    accumulate: int = 1  # batches a step
    ema: float = 0
    schedule: collections.abc.Callable | None = None  # of the optimizer


RUNS = {
    "sgd": Run(lambda m: momentum(m, weight_decay=5e-4), (lenet, mlp), 11),
    "adam": Run(lambda m: torch.optim.Adam(m.parameters(), lr=1e-3), (lenet, mlp), 11),
    "nesterov": Run(lambda m: momentum(m, weight_decay=5e-4, nesterov=True)),
    "adamw": Run(lambda m: torch.optim.AdamW(m.parameters(), lr=1e-3, weight_decay=0.1)),
    "rmsprop": Run(lambda m: torch.optim.RMSprop(m.parameters(), lr=3e-5, momentum=0.9, centered=True)),
    "adagrad": Run(lambda m: torch.optim.Adagrad(m.parameters(), lr=2e-3, lr_decay=0.05, eps=1e-3)),
    "lars": Run(lambda m: Lars(m.parameters(), lr=0.2, weight_decay=1e-4, trust_coefficient=0.01)),
    "smoothed": Run(momentum, loss=smoothed),
    "mse": Run(momentum, loss=mse),
    "bce": Run(momentum, loss=bce),
    "groups": Run(groups),
    "l1": Run(momentum, l1=1e-3),
    "clip": Run(momentum, clip=0.5),
    "accumulate": Run(momentum, accumulate=3, clip=2),  # the last step is of one batch
    "ema": Run(momentum, ema=0.75),
    "one_cycle_sgd": Run(momentum, schedule=one_cycle),
    "one_cycle_adam": Run(lambda m: torch.optim.Adam(m.parameters(), lr=1e-3), schedule=one_cycle),
    "one_cycle_rmsprop": Run(lambda m: torch.optim.RMSprop(m.parameters(), lr=3e-5, momentum=0.9), schedule=one_cycle),
}


def train(build, run, dtype):
    images, labels = images_and_labels()
    mean, std = torch.tensor(0.5, dtype=dtype), torch.tensor(0.25, dtype=dtype)
    model = build()
    initialise(model)
    model.to(dtype)
    average = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = run.optimizer(model)
    schedule = run.schedule and run.schedule(optimizer)
    losses = []
    for step in range(STEPS):
        first = step % run.accumulate == 0
        share = min(run.accumulate, STEPS - step // run.accumulate * run.accumulate)
        part = slice(step * BATCH, (step + 1) * BATCH)
        if first:
            optimizer.zero_grad()
        loss = run.loss(model((images[part].to(dtype) / 255 - mean) / std), labels[part])
        penalty = run.l1 * sum(p.abs().sum() for p in model.parameters()) if run.l1 else 0
        (loss / share + penalty).backward()
        losses.append(loss.item())
        if (step + 1) % run.accumulate and step + 1 < STEPS:
            continue
        if run.clip:
            nn.utils.clip_grad_norm_(model.parameters(), run.clip)
        optimizer.step()
        if schedule:
            schedule.step()
        for n, p in model.named_parameters():
            average[n].mul_(run.ema).add_(p.detach(), alpha=1 - run.ema)
    tensors = {n: p.flatten()[::run.stride].clone() for n, p in average.items()}
    tensors["loss"] = torch.tensor(losses, dtype=torch.float64)
    return tensors


def main():
    for name, run in RUNS.items():
        if len(sys.argv) > 1 and name not in sys.argv:
            continue
        for build in run.models:
            single, exact = (train(build, run, dtype) for dtype in (torch.float32, torch.float64))
            error = max(((single[n] - t).abs().max() / t.abs().max()).item() for n, t in exact.items())
            # A pooling window whose two largest elements are equal but for rounding makes this 1e-5 or more, and the
            # comparison a matter of luck: then take another STREAM.
            assert error < 1e-6, f"{build.__name__} {name}: float and double differ by {error:g}"
            path = GOLDEN / f"parity_{build.__name__}_{name}.safetensors"
            save_file(exact, path)
            path.chmod(0o644)
            print(build.__name__, name, f"{error:.1e}", " ".join(f"{v:.6f}" for v in exact["loss"]))


if __name__ == "__main__":
    main()
