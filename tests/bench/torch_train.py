"""One training job as a PyTorch user writes it: the other side of bench.py's comparison of whole processes.

--data usual    a Dataset that normalises sample by sample, and a DataLoader: what torchvision's tutorials do
--data best     all images normalised once in memory, batches cut by index, fused Adam: the fastest that stays simple
The last line of the output is JSON: test accuracy, images a second of training, the moment of the first step.
"""
import argparse
import json
import time

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import torch_models


class Samples(Dataset):
    def __init__(self, folder, train):
        self.images, self.labels = torch_models.split(folder, train)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = self.images[i].unsqueeze(0).float().div(255)
        return image.sub(torch_models.MEAN).div(torch_models.STD), int(self.labels[i])


class Batches:
    """What a DataLoader does, for data in memory."""

    def __init__(self, folder, train, batch_size):
        images, self.labels = torch_models.split(folder, train)
        self.images = images.unsqueeze(1).float().div_(255).sub_(torch_models.MEAN).div_(torch_models.STD)
        self.batch_size, self.shuffle = batch_size, train

    def __iter__(self):
        n = len(self.images)
        order = torch.randperm(n) if self.shuffle else torch.arange(n)
        for part in order.split(self.batch_size):
            yield self.images[part], self.labels[part]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", choices=torch_models.MODELS, default="lenet")
    p.add_argument("--data", choices=["usual", "best"], default="usual")
    p.add_argument("--data-dir", default=torch_models.FOLDER)
    p.add_argument("--epochs", type=int, default=1)
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--workers", type=int, default=0)
    p.add_argument("--limit-batches", type=int, default=0)
    p.add_argument("--save")
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(0)

    if o.data == "usual":
        train = DataLoader(Samples(o.data_dir, True), o.batch_size, shuffle=True, num_workers=o.workers)
        test = DataLoader(Samples(o.data_dir, False), o.batch_size, num_workers=o.workers)
    else:
        train, test = Batches(o.data_dir, True, o.batch_size), Batches(o.data_dir, False, o.batch_size)
    model = torch_models.MODELS[o.model]()
    optimizer = torch.optim.Adam(model.parameters(), lr=o.lr, fused=o.data == "best")

    first, images, seconds = None, 0, 0.0
    for _ in range(o.epochs):
        began = time.monotonic()
        for i, (x, y) in enumerate(train):
            if o.limit_batches and i == o.limit_batches:
                break
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            first = first or time.monotonic()
            images += len(x)
        seconds += time.monotonic() - began
    correct = total = 0
    with torch.no_grad():
        for i, (x, y) in enumerate(test):
            if o.limit_batches and i == o.limit_batches:
                break
            correct += (model(x).argmax(1) == y).sum().item()
            total += len(y)
    if o.save:
        torch.save(model.state_dict(), o.save)
    print(json.dumps({"test_accuracy": correct / total, "images_per_second": images / seconds, "first_step": first}))


if __name__ == "__main__":
    main()
