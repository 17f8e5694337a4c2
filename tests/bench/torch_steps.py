"""PyTorch's side of bench_networks.py: training steps of a network on a batch that is in memory.

Prints the variants there are, as JSON: null, or why there is none. Then for every line "VARIANT SECONDS" of standard
input it runs steps for so long, at least one, and answers with the median of their milliseconds. All variants have the
fused optimizer. torch.compile takes forward, loss and backward, in the memory format that is faster without it.
"""
import argparse
import json
import logging
import pathlib
import statistics
import sys
import time

import torch
from torch.nn import functional

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from make_models import NETWORKS  # noqa: E402


def loss_of(model, x, y):
    return functional.cross_entropy(model(x), y)


class Steps:
    def __init__(self, o, channels_last, compiled):
        self.clock = time.perf_counter if o.clock == "wall" else time.process_time
        torch.manual_seed(0)
        channels, side, classes = o.channels, o.side, o.classes
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.x = torch.randn(o.batch_size, channels, side, side).to(memory_format=layout)
        self.y = torch.randint(classes, (o.batch_size,))
        self.model = NETWORKS[o.model][0](classes, side).to(memory_format=layout)
        optimizer = torch.optim.SGD if o.opt == "sgd" else torch.optim.Adam
        self.optimizer = optimizer(self.model.parameters(), lr=1e-5, fused=True)
        self.loss_of = torch.compile(loss_of) if compiled else loss_of
        self.step()
        self.step()

    def step(self):
        self.optimizer.zero_grad()
        self.loss_of(self.model, self.x, self.y).backward()
        self.optimizer.step()

    def median(self, seconds):
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            began = self.clock()
            self.step()
            times.append(self.clock() - began)
        return 1000 * statistics.median(times)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--opt", choices=["sgd", "adam"], required=True)
    for name in ("channels", "side", "classes", "batch-size", "threads"):
        p.add_argument(f"--{name}", type=int, required=True)
    p.add_argument("--clock", choices=["wall", "processor"], default="wall")
    p.add_argument("--no-compile", dest="compile", action="store_false")
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    logging.getLogger("torch").setLevel(logging.ERROR)  # what it thinks of the machine is not the table's business
    variants, reasons = {}, {}

    def add(name, *how):
        try:
            variants[name], reasons[name] = Steps(o, *how), None
        except Exception as e:  # torch.compile wants a C++ compiler and headers of its own
            reasons[name] = str(e).strip().splitlines()[0][:100]

    add("eager", False, False)
    add("channels_last", True, False)  # not where the network has view()
    if o.compile:
        best = min(variants, key=lambda name: min(variants[name].median(0.2) for _ in range(2)))
        add("compile" if best == "eager" else "compile, channels_last", best != "eager", True)
    print(json.dumps(reasons), flush=True)
    for line in sys.stdin:
        name, seconds = line.rsplit(maxsplit=1)
        print(variants[name].median(float(seconds)), flush=True)


if __name__ == "__main__":
    main()
