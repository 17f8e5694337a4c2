#!/usr/bin/env python3
"""Training steps of the courses' networks, dlcore beside PyTorch: python3 tests/bench/bench_networks.py

    cmake --build build/release --target bench_steps

Forward, loss, backward and update on a batch that is in memory, at the batch size, picture size and optimizer of each
network's recipe, with the same number of threads. Both processes stay alive and measure in turn: dlcore, one variant of
PyTorch, dlcore, the next, and so on, --rounds times, for --seconds each. A turn gives the median of its steps; the table
has the median of the turns, the spread as half of the range that holds the middle half of them, and the median ratio of
neighbours, above 1 where dlcore is faster. PyTorch is its fastest variant (see torch_steps.py).

On a machine that others use, too, steps of tens of milliseconds are interrupted and short ones are not, which flatters
whoever is faster. There --clock processor --threads 1 tells more; with more threads it would count their waiting.
"""
import argparse
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

from bench import busy_seconds

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
NETWORKS = {  # channels, side, classes, batch size, optimizer
    "cats-dogs-000": (3, 128, 2, 32, "adam"),
    "ann-001": (1, 28, 10, 64, "sgd"),
    "net-001": (1, 28, 10, 64, "sgd"),
    "amelie-001": (1, 28, 10, 64, "sgd"),
    "resnet-001": (1, 28, 10, 64, "sgd"),
    "net-002": (3, 32, 10, 128, "adam"),
    "mnistnet-003": (1, 28, 10, 64, "sgd"),
    "convnet-004": (3, 224, 2, 32, "sgd"),
}


class Worker:
    """A process that answers each line with a line; dlcore's, or PyTorch's with its variants."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return line

    def measure(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return float(self.answer())

    def processor_seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def spread(values):
    if len(values) < 2:
        return 0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2


def rate(batch_size, times):
    rates = [1000 * batch_size / t for t in times]
    middle = statistics.median(rates)
    return f"{middle:9.0f} ± {100 * spread(rates) / middle:3.0f}%"


def theirs(o, name):
    channels, side, classes, batch_size, optimizer = NETWORKS[name]
    return Worker([sys.executable, HERE / "torch_steps.py", "--model", name, "--channels", channels, "--side", side,
                   "--classes", classes, "--batch-size", batch_size, "--opt", optimizer, "--threads", o.threads,
                   "--clock", o.clock, *([] if o.compile else ["--no-compile"])])


def compare(o, name):
    """Prints a row; returns the share of the machine that other processes took meanwhile."""
    *shape, optimizer = NETWORKS[name]
    with theirs(o, name) as him, Worker([o.build / "tests" / "bench_steps", o.build / "lib" / "dlcore", REPOSITORY /
                                         "apps" / "models" / f"{name}.yaml", *shape, optimizer, o.threads, o.clock]) as me:
        variants = json.loads(him.answer())
        pairs = {v: [] for v, reason in variants.items() if not reason}
        me.measure(0)
        began, used = busy_seconds(), me.processor_seconds() + him.processor_seconds()
        clock = os.times().elapsed
        for _ in range(o.rounds):
            for v, list_of in pairs.items():
                list_of.append((me.measure(o.seconds), him.measure(v, o.seconds)))
        clock = (os.times().elapsed - clock) * os.cpu_count()
        others = busy_seconds() - began - (me.processor_seconds() + him.processor_seconds() - used)
    best = min(pairs, key=lambda v: statistics.median(t for _, t in pairs[v]))
    ratio = statistics.median(t / m for m, t in pairs[best])
    mine = [m for list_of in pairs.values() for m, _ in list_of]
    print(f"{name:14}{shape[-1]:6}{rate(shape[-1], mine)}{rate(shape[-1], [t for _, t in pairs[best]])}{ratio:8.2f}   "
          f"{best}", flush=True)
    for v, reason in variants.items():
        if reason:
            print(f"{'':14}{v}: {reason}")
    return others / clock


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", type=pathlib.Path, default=REPOSITORY / "build/release")
    p.add_argument("--networks", default=",".join(NETWORKS))
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--seconds", type=float, default=1)
    p.add_argument("--clock", choices=["wall", "processor"], default="wall", help="what a step is timed by")
    p.add_argument("--no-compile", dest="compile", action="store_false", help="leave torch.compile out (it is slow to start)")
    p.add_argument("--quick", action="store_true", help="3 rounds of 0.2 s")
    o = p.parse_args()
    if unknown := set(o.networks.split(",")) - set(NETWORKS):
        p.error(f"no networks {', '.join(unknown)}; there are {', '.join(NETWORKS)}")
    if o.quick:
        o.rounds, o.seconds = 3, 0.2
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    version = subprocess.run([o.build / "bin" / "dlcore", "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{cpu or platform.machine()}, {os.cpu_count()} processors; {o.threads} thread{'s' * (o.threads > 1)}, "
          f"{o.clock} time; {o.rounds} rounds of {o.seconds} s; "
          f"{version}; PyTorch {importlib.metadata.version('torch')}; Python {platform.python_version()}")
    print(f"{'images/s':14}{'batch':>6}{'dlcore':>16}{'PyTorch':>16}{'ratio':>8}   PyTorch's fastest variant")
    others = [compare(o, name) for name in o.networks.split(",")]
    print(f"Other processes took {100 * min(others):.0f} to {100 * max(others):.0f} % of the machine.")


if __name__ == "__main__":
    main()
