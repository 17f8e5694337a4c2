"""PyTorch's time for one training step from a batch that is in memory, already normalised. Prints JSON: milliseconds a
step (median) for the plain script, with the fused optimizer, and compiled where torch.compile works.
"""
import argparse
import json
import statistics
import time

import torch
from torch.nn import functional

import torch_models


def step_ms(model, optimizer, loss_of, x, y, seconds):
    def step():
        optimizer.zero_grad()
        loss_of(model, x, y).backward()
        optimizer.step()

    for _ in range(20):
        step()
    times, began = [], time.perf_counter()
    while time.perf_counter() - began < seconds:
        t = time.perf_counter()
        step()
        times.append(time.perf_counter() - t)
    return 1000 * statistics.median(times)


def loss_of(model, x, y):
    return functional.cross_entropy(model(x), y)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", choices=torch_models.MODELS, default="lenet")
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--compile", action="store_true")
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(0)
    x, y = torch.randn(o.batch_size, 1, 28, 28), torch.randint(10, (o.batch_size,))
    result = {}
    for name, fused, compiled in (("eager", False, False), ("fused", True, False), ("compiled", True, True)):
        if compiled and not o.compile:
            continue
        model = torch_models.MODELS[o.model]()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
        try:
            function = torch.compile(loss_of) if compiled else loss_of
            result[name] = step_ms(model, optimizer, function, x, y, o.seconds)
        except Exception as e:  # torch.compile wants a C++ compiler and headers of its own
            result[name + "_error"] = str(e).splitlines()[0][:200]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
