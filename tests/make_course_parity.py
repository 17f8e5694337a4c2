"""Fifty training steps of each network of the courses, by PyTorch and by dlcore, from the same weights on the same
batches, with the optimizer and the learning rate of the network's recipe.

    make_course_parity.py [NAME...]
        writes tests/golden/course_NAME.safetensors, which tests/test_course_parity.c compares with: initial weights and
        pictures are formulas there and here. Needs torch, torchvision and safetensors.
    make_course_parity.py --live DLCORE DATA [NAME...]
        PyTorch's own initial weights and real pictures. DLCORE is the program; the folder DATA has fashion-mnist/ and
        mnist/ (the IDX files), cifar-10-python.tar.gz and cats_and_dogs_filtered.zip. Prints a table; takes half an
        hour, most of it dlcore in float64.

How close is close enough? In float64 both must agree to many digits: they compute the same formulas. In float32 each
rounds in its own order, and training lets the difference grow, in PyTorch as well: its spread is how far from float64
several ways lead that PyTorch itself holds to be the same (WAYS).

A golden file holds `loss`, [50], before each step, by PyTorch's float32; `exact_loss` by its float64; `spread`, the
largest relative difference from these so far of any way; and of every tensor of the state_dict() after the last step
each stride-th element, in float64. Its metadata describes the tensors, in order, a line each:
NAME DIMxDIM START BOUND SPREAD. Before the first step a tensor is uniform in START +- BOUND. SPREAD is what any way is
off by at most: largest difference over largest element.
"""
import argparse
import csv
import dataclasses
import gzip
import io
import pathlib
import pickle
import subprocess
import tarfile
import tempfile
import zipfile

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from make_models import NETWORKS
from make_parity import noise

STEPS, SEED = 50, 42
HERE = pathlib.Path(__file__).resolve().parent
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5,), (0.5,))
UNIT = ((0.0,), (1.0,))


@dataclasses.dataclass
class Course:
    data: str
    input: tuple  # channels, side, classes
    batch: int  # where a step takes long fewer than in the recipe
    normalisation: tuple  # mean, std
    optimizer: str
    rate: float
    transforms: str = ""  # in place of the recipe's random ones


GREY, COLOUR = (1, 28, 10), (3, 32, 10)
COURSES = {
    "cats-dogs-000": Course("cats-dogs", (3, 128, 2), 4, UNIT, "Adam", 1e-4, "center_crop(128) normalize(mean=0, std=1)"),
    "ann-001": Course("fashion-mnist", GREY, 64, UNIT, "SGD", 1e-3),
    "net-001": Course("fashion-mnist", GREY, 16, UNIT, "SGD", 1e-3),
    "amelie-001": Course("fashion-mnist", GREY, 64, UNIT, "SGD", 1e-3),
    "resnet-001": Course("fashion-mnist", GREY, 8, UNIT, "SGD", 1e-3),
    "net-002": Course("cifar", COLOUR, 128, HALF, "Adam", 1e-3),
    "mnistnet-003": Course("mnist", GREY, 64, HALF, "SGD", 1e-3),
    "convnet-004": Course("cats-dogs", (3, 224, 2), 8, IMAGENET, "SGD", 1e-2, "center_crop(224) normalize(imagenet)"),
}


# ---- dropout by the numbers of dlcore: dlc_dropout in sdk/include/dlcore/ops.h ----

def philox(seed, counter):
    """Philox4x32-10 (Salmon et al. 2011) of a counter of four arrays; four arrays of 32-bit words."""
    low = numpy.uint64(0xFFFFFFFF)
    c = [numpy.asarray(word, dtype=numpy.uint64) for word in counter]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = c[0] * numpy.uint64(0xD2511F53), c[2] * numpy.uint64(0xCD9E8D57)
        c = [(b >> numpy.uint64(32)) ^ c[1] ^ numpy.uint64(key[0]), b & low,
             (a >> numpy.uint64(32)) ^ c[3] ^ numpy.uint64(key[1]), a & low]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


class Dropout(nn.Module):
    def __init__(self, p, stream, seed):
        super().__init__()
        self.p, self.purpose, self.seed, self.step = p, 0x8000 + stream, seed, 0

    def forward(self, x):  # whole channels where there are any
        self.step += 1
        sample, draw = numpy.mgrid[:x.shape[0], :-(-x.shape[1] // 4)]
        words = numpy.stack(philox(self.seed, (draw, sample, self.step, self.purpose)), axis=-1)
        stays = words.reshape(x.shape[0], -1)[:, :x.shape[1]] >= self.p * 2.0**32
        mask = torch.from_numpy(stays.astype(numpy.float64) / (1 - self.p)).to(x.dtype)
        return x * mask.reshape(mask.shape + (1,) * (x.dim() - 2))


def network(name):
    channels, side, classes = COURSES[name].input
    model = NETWORKS[name][0](classes, side)
    layers = [(m, key, d) for m in model.modules() for key, d in m.named_children()
              if isinstance(d, (nn.Dropout, nn.Dropout2d))]
    for stream, (module, key, dropout) in enumerate(layers):
        setattr(module, key, Dropout(dropout.p, stream, SEED))
    return model


# ---- training ----

def train(name, state, images, labels, dtype, layout=torch.contiguous_format):
    course = COURSES[name]
    model = network(name)
    model.load_state_dict(state)
    model.to(dtype=dtype, memory_format=layout).train()
    mean, std = (torch.tensor(v).to(dtype).reshape(-1, 1, 1) for v in course.normalisation)
    optimizer = getattr(torch.optim, course.optimizer)(model.parameters(), lr=course.rate)
    losses = []
    for step in range(STEPS):
        part = slice(step * course.batch, (step + 1) * course.batch)
        optimizer.zero_grad()
        x = ((images[part].to(dtype) / 255 - mean) / std).to(memory_format=layout)
        loss = functional.cross_entropy(model(x), labels[part])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses, dtype=torch.float64), model.state_dict()


def without_onednn(*run):
    torch.backends.mkldnn.enabled = False
    result = train(*run, torch.float32)
    torch.backends.mkldnn.enabled = True
    return result


def on_two_threads(*run):
    torch.set_num_threads(2)
    result = train(*run, torch.float32)
    torch.set_num_threads(1)
    return result


def from_next_numbers(name, state, images, labels):
    """Every initial weight moved to the next larger float."""
    moved = {k: v.nextafter(torch.tensor(torch.inf)) if v.is_floating_point() else v for k, v in state.items()}
    return train(name, moved, images, labels, torch.float32)


WAYS = (lambda *run: train(*run, torch.float32), lambda *run: train(*run, torch.float32, torch.channels_last),
        without_onednn, on_two_threads, from_next_numbers)


def deviation(of, exact):
    """Largest difference over largest element."""
    of, exact = of.double(), exact.double()
    return ((of - exact).abs().max() / exact.abs().max().clamp(min=1e-30)).item()


def loss_errors(losses, expected):
    """The largest relative difference up to each step."""
    return ((losses - expected).abs() / expected).cummax(0).values


def loss_error(losses, expected):
    return loss_errors(losses, expected)[-1].item()


def spread(name, state, images, labels):
    """What is exact, PyTorch's usual run, and how far from exact its ways are: of the losses, of each tensor."""
    exact, exact_after = train(name, state, images, labels, torch.float64)
    runs = [way(name, state, images, labels) for way in WAYS]
    of_losses = torch.stack([loss_errors(losses, exact) for losses, _ in runs]).amax(0)
    of_tensors = {k: max(deviation(after[k], v) for _, after in runs) for k, v in exact_after.items()}
    return exact, exact_after, runs[0][0], of_losses, of_tensors


# ---- what tests/test_course_parity.c does, too ----

def pictures(course):
    """Stripes under noise whose direction is the label, but in a quarter of the pictures: the loss stays well above 0,
    where a relative difference means little. Every channel begins elsewhere."""
    channels, side, classes = course.input
    n = STEPS * course.batch
    labels = (noise(1, n) % numpy.uint64(classes)).astype(numpy.int64)
    other = noise(3, n) % numpy.uint64(classes)
    shown = numpy.where(noise(2, n) % numpy.uint64(4) == 0, other, labels).astype(numpy.int64)
    c, y, x = numpy.mgrid[:channels, :side, :side]
    stripes = (y * shown[:, None, None, None] + 3 * x + 5 * c) % 28 < 14
    pixels = (noise(102, stripes.size).reshape(stripes.shape) & numpy.uint64(127)).astype(numpy.uint8)
    return torch.from_numpy(pixels + 64 * stripes.astype(numpy.uint8)), torch.from_numpy(labels)


def initial(model):
    """Bounds as PyTorch's: 1 / sqrt(inputs of an output) in convolutions and linear layers."""
    bounds = {}
    for prefix, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            bound = float(numpy.float32(module.weight[0].numel() ** -0.5))
            bounds |= {f"{prefix}.weight": bound, f"{prefix}.bias": bound}
    state, ranges = {}, {}
    for k, (name, tensor) in enumerate(model.state_dict().items()):
        start, bound = float(name not in bounds and tensor.flatten()[0]), bounds.get(name, 0.0)
        unit = (noise(10 + k, tensor.numel()) >> numpy.uint64(8)).astype(numpy.float64) * 2.0**-24
        values = torch.from_numpy((start + (2 * unit - 1) * bound).astype(numpy.float32))
        state[name], ranges[name] = values.reshape(tensor.shape).to(tensor.dtype), (start, bound)
    return state, ranges


def write_golden(name):
    state, ranges = initial(network(name))
    exact, exact_after, losses, of_losses, of_tensors = spread(name, state, *pictures(COURSES[name]))
    tensors = {"loss": losses.float(), "exact_loss": exact, "spread": of_losses.float()}
    lines = []
    for key, tensor in exact_after.items():
        stride = tensor.numel() // 100 | 1
        tensors[key] = tensor.double().flatten()[::stride].clone()
        dims = "x".join(map(str, tensor.shape)) or "1"
        lines.append(f"{key} {dims} {ranges[key][0]:g} {ranges[key][1]:.9g} {of_tensors[key]:.2g}")
    path = HERE / "golden" / f"course_{name}.safetensors"
    save_file(tensors, path, {"tensors": "\n".join(lines)})
    path.chmod(0o644)
    largest = max(of_tensors, key=of_tensors.get)
    print(f"{name}: losses {losses[0]:.4f} to {losses[-1]:.4f}; PyTorch's ways are off by {of_losses[0]:.1e} at step 1, "
          f"{of_losses[9]:.1e} by step 10, {of_losses[-1]:.1e} by step 50; {largest} by {of_tensors[largest]:.1e}",
          flush=True)


# ---- with PyTorch's weights, on real pictures ----

def permutation(seed, n):
    """The order of the first epoch: dlc_random_permutation in core/base/random.c."""
    words = numpy.stack(philox(seed, (numpy.arange(2 * n), 0, 0, 2)), axis=-1).flatten().tolist()
    order, words = list(range(n)), iter(words)
    for i in range(n, 1, -1):
        product = next(words) * i
        while product % 2**32 < (2**32 - i) % i:
            product = next(words) * i
        j = product >> 32
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


def read_idx(folder, count):
    images = gzip.open(folder / "train-images-idx3-ubyte.gz").read(16 + count * 784)[16:]
    labels = gzip.open(folder / "train-labels-idx1-ubyte.gz").read(8 + count)[8:]
    return numpy.frombuffer(images, numpy.uint8).reshape(count, 1, 28, 28), numpy.frombuffer(labels, numpy.uint8)


def read_cifar(path, count):
    with tarfile.open(path) as tar:
        batch = pickle.load(tar.extractfile("cifar-10-batches-py/data_batch_1"), encoding="bytes")
    return batch[b"data"].reshape(-1, 3, 32, 32)[:count], numpy.array(batch[b"labels"][:count])


def make_folder(path, folder, course):
    """As many pictures of each class, of the network's size already: how to shrink them is not the question here."""
    images, labels = [], []
    with zipfile.ZipFile(path) as archive:
        for label, kind in enumerate(("cats", "dogs")):
            names = sorted(n for n in archive.namelist() if f"/train/{kind}/" in n and n.endswith(".jpg"))
            (folder / "train" / kind).mkdir(parents=True)
            for i, name in enumerate(names[:STEPS * course.batch // 2]):
                image = Image.open(io.BytesIO(archive.read(name))).convert("RGB").resize((course.input[1],) * 2)
                image.save(folder / "train" / kind / f"{i:05}.png")
                images.append(numpy.asarray(image).transpose(2, 0, 1))
                labels.append(label)
    order = permutation(SEED, len(images))
    return numpy.stack(images)[order], numpy.array(labels)[order]


def read_data(course, data, folder):
    """What dlcore calls the data, and the first pictures as it will see them."""
    count = STEPS * course.batch
    if course.data == "cats-dogs":
        return folder / "data", *make_folder(data / "cats_and_dogs_filtered.zip", folder / "data", course)
    if course.data == "cifar":
        path = data / "cifar-10-python.tar.gz"
        return path, *read_cifar(path, count)
    return data / course.data, *read_idx(data / course.data, count)


def run_dlcore(program, name, data_dir, folder, dtype):
    course = COURSES[name]
    options = {"config": HERE.parent / "apps" / "recipes" / f"{name}.yaml", "data-dir": data_dir, "val-split": 0,
               "epochs": 1, "batch-size": course.batch, "val-batch-size": course.batch, "limit-batches": STEPS,
               "seed": SEED, "init-from": folder / "before.safetensors", "logger": "csv:steps=1",
               "output": folder, "name": dtype, "dtype": dtype}
    if course.transforms:
        options |= {"train-transforms": course.transforms, "eval-transforms": course.transforms}
    flags = ["--no-checkpoints", "--quiet"] + ([] if course.data == "cats-dogs" else ["--no-shuffle"])
    subprocess.run([program, "train", *(f"--{k}={v}" for k, v in options.items()), *flags], check=True)
    with open(folder / dtype / "steps.csv", newline="") as f:
        losses = [float(row["train_loss"]) for row in csv.DictReader(f)]
    assert len(losses) == STEPS, f"{name}: {len(losses)} steps"
    return torch.tensor(losses, dtype=torch.float64), load_file(folder / dtype / "weights" / "last.safetensors")


def compare_live(program, data, name):
    torch.manual_seed(SEED)
    state = {k: v.clone() for k, v in network(name).state_dict().items()}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        save_file(state, folder / "before.safetensors")
        data_dir, images, labels = read_data(COURSES[name], data, folder)
        ours, weights = run_dlcore(program, name, data_dir, folder, "float32")
        doubles, double_weights = run_dlcore(program, name, data_dir, folder, "float64")
    images, labels = torch.tensor(images), torch.tensor(labels, dtype=torch.int64)
    exact, exact_after, losses, of_losses, of_tensors = spread(name, state, images, labels)
    equal = {k: (v.shape, v.dtype) for k, v in weights.items()} == {k: (v.shape, v.dtype) for k, v in state.items()}
    count = sum(p.numel() for p in network(name).parameters())
    ours_off, doubles_off = (max(deviation(w[k], v) for k, v in exact_after.items()) for w in (weights, double_weights))
    print(f"{name:14}{count:9}  {'yes' if equal else 'NO':6}{losses[0]:.4f} {losses[-1]:.4f}"
          f"  {loss_error(doubles, exact):7.1e} {doubles_off:7.1e}"
          f"    {loss_error(ours, losses):7.1e} {loss_error(ours, exact):7.1e} {of_losses[-1]:7.1e}"
          f"  {ours_off:7.1e} {max(of_tensors.values()):7.1e}", flush=True)


TITLE = """                                                  float64      float32: losses                  tensors
                                 loss          dlcore-PyTorch  dlcore from     PyTorch's  dlcore  PyTorch's
network       parameters equal   first  last   losses  tensors PyTorch   f64     spread    from f64  spread"""


def main():
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--live", nargs=2, type=pathlib.Path, metavar=("DLCORE", "DATA"))
    arguments = parser.parse_args()
    if arguments.live:
        print(TITLE)
    for name in arguments.names or COURSES:
        if arguments.live:
            compare_live(*arguments.live, name)
        else:
            write_golden(name)


if __name__ == "__main__":
    main()
