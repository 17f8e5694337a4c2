#!/usr/bin/env python3
"""Recipes against plain PyTorch, over seeds: python3 tests/bench/compare_recipes.py [--dlcore build/release/bin/dlcore]

For every recipe of a course that prints no figures. Each side draws its own initial weights, order and augmentation; the
schedules are shortened, alike on both. A figure is equal when the means differ by at most 3 standard errors of their
difference. With 5 seeds and no difference at all a figure in 60 still fails: then look again with more --seeds.
Evaluation is in evaluation mode, of the weights after the last epoch. Needs torch and torchvision.

Networks that learned nothing are equal, too: to see whether a fault would show, make one, as --ours '--lr 0.002'.
All recipes take about an hour on two cores, most of it PyTorch's; --theirs FILE keeps that for the next time.
"""
import argparse
import dataclasses
import functools
import io
import json
import math
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import zipfile

import torch
from PIL import Image
from torch.nn import functional
from torchvision import transforms as T

import torch_models

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from make_models import NETWORKS  # noqa: E402


@dataclasses.dataclass
class Recipe:
    """What stands in apps/recipes/NAME.yaml, and how it is shortened: to small batches, as small rates need many steps and
    it is pictures that take time; until the network has left the plateau it begins on, where every recipe is equal."""
    data: str  # the option that says where it is
    optimizer: object  # of the parameters
    epochs: int
    batch_size: int = 64
    limit_batches: int = 0
    limit_per_class: int = 0
    val_batch_size: int = 0
    val_split: float = 0
    seeds: int = 5

    def options(self):
        names = ("epochs", "batch_size", "limit_batches", "limit_per_class", "val_batch_size", "val_split")
        return [word for n in names if getattr(self, n) for word in (f"--{n.replace('_', '-')}", str(getattr(self, n)))]


def sgd(lr):
    return lambda parameters: torch.optim.SGD(parameters, lr=lr)


def adam(lr):
    return lambda parameters: torch.optim.Adam(parameters, lr=lr)


def adamw(lr):
    return lambda parameters: torch.optim.AdamW(parameters, lr=lr)


RECIPES = {
    "ann-001": Recipe("fashion-mnist", sgd(0.001), 3, 16, limit_batches=1500),
    "net-001": Recipe("fashion-mnist", sgd(0.001), 1, 4, limit_batches=2500),
    "amelie-001": Recipe("fashion-mnist", sgd(0.001), 1, 16, limit_batches=200, seeds=15),
    "resnet-001": Recipe("fashion-mnist", sgd(0.001), 1, 4, limit_batches=150),
    "mnistnet-003": Recipe("mnist", sgd(0.001), 4, 4, limit_batches=2500),
    "cats-dogs-000": Recipe("cats-dogs-000", adam(0.0001), 3, 4, limit_per_class=100, val_split=0.2, seeds=10),
    "convnet-004": Recipe("convnet-004", sgd(0.01), 18, 2, limit_per_class=200, val_split=0.2),
    # Two of five of these networks stay on the plateau, on either side.
    "convnet-004-adam": Recipe("convnet-004", adam(0.001), 4, 4, limit_per_class=1000, val_split=0.2, seeds=15),
    "convnet-004-adamw": Recipe("convnet-004", adamw(0.001), 4, 4, limit_per_class=1000, val_split=0.2),
}


# ---- data: batches of a permutation, or of the first samples ----

@functools.cache
def digits(folder, train, mean, std):
    images, labels = torch_models.split(folder, train)
    return images.unsqueeze(1).float().div_(255).sub_(mean).div_(std), labels


IMAGENET = T.Compose([T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
CATS_DOGS = (
    T.Compose([T.RandomRotation(15), T.CenterCrop(144), T.RandomCrop(128), T.RandomHorizontalFlip(),
               T.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3), T.ToTensor()]),
    T.Compose([T.Resize((128, 128)), T.ToTensor()]))
CONVNET = (
    T.Compose([T.ColorJitter(saturation=0.05, hue=0.05), T.RandomHorizontalFlip(), T.RandomRotation(20), T.Resize(256),
               T.RandomResizedCrop(224, scale=(0.5, 1.0)), IMAGENET]),
    T.Compose([T.Resize(256), T.CenterCrop(224), IMAGENET]))


@functools.cache
def pictures(path, split, limit):
    """The first `limit` pictures of cat and dog each, by path as dlcore takes them, decoded; and their labels."""
    images, labels = [], []
    with zipfile.ZipFile(path) as archive:
        for label, animal in enumerate(("cat", "dog")):
            names = [n for n in archive.namelist() if f"{split}/" in n and re.search(rf"{animal}\.\d+\.jpg$", n)]
            for name in sorted(names)[:limit]:
                images.append(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
                labels.append(label)
    return images, torch.tensor(labels)


class Tensors:
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def batch(self, part):
        return self.images[part], self.labels[part]


class Pictures:
    def __init__(self, images, labels, transform):
        self.images, self.labels, self.transform = images, labels, transform

    def batch(self, part):
        return torch.stack([self.transform(self.images[i]) for i in part]), self.labels[part]


def data_of(recipe, path):
    """Training and evaluation data, and the indices of each."""
    if recipe.data in ("fashion-mnist", "mnist"):
        scale = (0.5, 0.5) if recipe.data == "mnist" else (0.0, 1.0)
        train, test = (Tensors(*digits(path, part, *scale)) for part in (True, False))
        return train, torch.arange(len(train.labels)), test, torch.arange(len(test.labels))
    images, labels = pictures(path, "train", recipe.limit_per_class)
    order = torch.randperm(len(images))
    n_val = int(recipe.val_split * len(images))
    augment, plain = CATS_DOGS if recipe.data == "cats-dogs-000" else CONVNET
    train = Pictures(images, labels, augment)
    if recipe.data == "cats-dogs-000":  # no labels but those of train/
        return train, order[n_val:], Pictures(images, labels, plain), order[:n_val]
    test = Pictures(*pictures(path, "validation", recipe.limit_per_class), plain)
    return train, order[n_val:], test, torch.arange(len(test.labels))


# ---- the two sides: train loss, loss and accuracy ----

def theirs(name, recipe, path, seed):
    torch.manual_seed(seed)
    train, train_index, test, test_index = data_of(recipe, path)
    make, _, _ = NETWORKS[name.removesuffix("-adamw").removesuffix("-adam")]
    x = train.batch(train_index[:1])[0]
    model = make(2 if recipe.limit_per_class else 10, x.shape[2])
    optimizer = recipe.optimizer(model.parameters())
    limit = recipe.limit_batches or None
    for _ in range(recipe.epochs):
        total = count = 0
        model.train()
        for part in train_index[torch.randperm(len(train_index))].split(recipe.batch_size)[:limit]:
            x, y = train.batch(part)
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
    model.eval()
    loss = correct = tested = 0
    with torch.no_grad():
        size = recipe.val_batch_size or recipe.batch_size
        seen = min(size * limit, len(test_index)) if limit else len(test_index)
        for part in test_index[torch.arange(seen) * len(test_index) // seen].split(size):  # from everywhere, as dlcore
            x, y = test.batch(part)
            output = model(x)
            loss += functional.cross_entropy(output, y, reduction="sum").item()
            correct += (output.argmax(1) == y).sum().item()
            tested += len(y)
    return total / count, loss / tested, correct / tested


def ours(o, name, recipe, path, seed, folder):
    command = [o.dlcore, "-c", name, "--data-dir", path, *recipe.options(), "--seed", seed, "--threads", o.threads,
               "--no-checkpoints", "--no-progress", "-q", "--output", folder, "--name", "compare", "--exist-ok",
               *shlex.split(o.ours)]
    subprocess.run([str(c) for c in command], check=True)
    r = json.loads((pathlib.Path(folder) / "compare" / "results.json").read_text())
    part = "val" if r["test_loss"] is None else "test"
    return r["train_loss"], r[f"{part}_loss"], r[f"{part}_accuracy"]


def kept_theirs(o, name, recipe, path, seed):
    known = json.loads(o.theirs.read_text()) if o.theirs and o.theirs.exists() else {}
    key = " ".join((name, *recipe.options(), "seed", str(seed)))
    if key not in known:
        known[key] = theirs(name, recipe, path, seed)
        if o.theirs:
            o.theirs.write_text(json.dumps(known, indent=0))
    return known[key]


def compare(o, name, recipe, path, folder):
    """Prints three rows; how many of them differ."""
    mine, his = [], []
    for seed in range(1, (o.seeds or recipe.seeds) + 1):
        mine.append(ours(o, name, recipe, path, seed, folder))
        his.append(kept_theirs(o, name, recipe, path, seed))
        figures = (" ".join(f"{v:.4f}" for v in side) for side in (mine[-1], his[-1]))
        print(f"{name} seed {seed}:", *figures, sep="  ", file=sys.stderr, flush=True)
    different = 0
    columns = zip((name, f"  {len(mine)} seeds", ""), ("train loss", "loss", "accuracy"), zip(*mine), zip(*his))
    for row, figure, a, b in columns:
        (m, m_error), (h, h_error) = ((statistics.mean(v), statistics.stdev(v) / math.sqrt(len(v))) for v in (a, b))
        error = math.hypot(m_error, h_error)
        equal = abs(m - h) <= 3 * error
        different += not equal
        distance = f"{(m - h) / error:8.2f}" if error else f"{'':8}"
        print(f"{row:18} {figure:11} {m:8.4f} ± {m_error:6.4f}  "
              f"{h:8.4f} ± {h_error:6.4f} {distance}  {'equal' if equal else 'DIFFERENT'}", flush=True)
    return different


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dlcore", default=HERE.parent.parent / "build/release/bin/dlcore")
    p.add_argument("--recipes", default=",".join(RECIPES))
    p.add_argument("--seeds", type=int, help="of each recipe (default: its own number, 5 to 15)")
    p.add_argument("--ours", default="", help="more options for dlcore, as '--lr 0.002'")
    p.add_argument("--theirs", type=pathlib.Path, metavar="FILE",
                   help="PyTorch's figures, kept there and taken from there; begin a new one when its side changes")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--fashion-mnist", default=torch_models.FOLDER, help="folder of its files")
    p.add_argument("--mnist", help="folder of its files")
    p.add_argument("--cats-dogs-000", help="dogs-vs-cats-redux.zip")
    p.add_argument("--convnet-004", help="cats_and_dogs_filtered.zip")
    o = p.parse_args()
    if unknown := set(o.recipes.split(",")) - set(RECIPES):
        p.error(f"no recipes {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    torch.set_num_threads(o.threads)
    different, left_out = 0, []
    print(f"mean ± standard error; difference in standard errors; PyTorch {torch.__version__}")
    print(f"{'':30} {'dlcore':>17}  {'PyTorch':>17} {'diff':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name in o.recipes.split(","):
            recipe = RECIPES[name]
            path = getattr(o, recipe.data.replace("-", "_"))
            if path:
                different += compare(o, name, recipe, path, folder)
            else:
                left_out.append(f"{name} needs --{recipe.data}")
    for line in left_out:
        print(f"left out: {line}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
