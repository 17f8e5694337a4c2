#!/usr/bin/env python3
"""dlcore against PyTorch on the same job: python3 tests/bench/bench.py [--dlcore build/release/bin/dlcore]

Both train the same model on Fashion-MNIST with the same batch size, optimizer and number of threads, in turn, so that
whatever else the machine does meets both. Every figure is a median over --pairs; every ratio the median of the ratios of
the pairs; above 1 means that dlcore needs less.

Whole process   from exec to exit: reading the data, training, the test set, writing the weights.
Per step        dlcore: time in training phases by the number of steps, so with batches cut and copied. PyTorch: one
                batch that is in memory and already normalised, nothing else; the fastest of eager, fused, compiled.
Without PyTorch only dlcore's column is printed.
"""
import argparse
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent


def busy_seconds():
    """Processor time that everybody used since the machine began, stolen time included (proc(5), /proc/stat)."""
    user, nice, system, _, _, irq, softirq, steal = map(int, open("/proc/stat").readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Run:
    """A process: its wall time in seconds, peak resident memory in bytes, output, and when it began. Done again while
    others take more than a twentieth of the machine, up to `attempts` times."""

    attempts, disturbed, count = 1, 0, 0

    def __init__(self, command):
        for _ in range(Run.attempts):
            others = self.measure(command)
            if others < 0.05:
                break
            time.sleep(2)
        Run.count += 1
        Run.disturbed += others >= 0.05

    def measure(self, command):
        busy = busy_seconds()
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            self.began = time.monotonic()
            child = subprocess.Popen([str(c) for c in command], stdout=out, stderr=err)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - self.began
            self.rss = usage.ru_maxrss * 1024
            out.seek(0)
            err.seek(0)
            self.output = out.read()
            if child.returncode:
                sys.exit(f"{' '.join(map(str, command))}: exit {child.returncode}\n{err.read()}")
        others = busy_seconds() - busy - usage.ru_utime - usage.ru_stime
        return others / self.seconds / os.cpu_count() if self.seconds > 0.2 else 0  # /proc/stat counts in 10 ms


def ours(o, model, limit, folder):
    run = Run([o.dlcore, "--dataset", "fashion-mnist", "--model", model, "--epochs", 1, "--batch-size", o.batch_size,
               "--opt", "adam", "--lr", 1e-3, "--threads", o.threads, "--limit-batches", limit, "--no-progress", "-q",
               "--output", folder, "--name", "bench", "--exist-ok", *(["--data-dir", o.data_dir] if o.data_dir else [])])
    run.results = json.loads((pathlib.Path(folder) / "bench" / "results.json").read_text())
    run.first_step = run.results["seconds_to_first_step"]
    return run


def theirs(o, model, limit, data, folder):
    run = Run([sys.executable, HERE / "torch_train.py", "--model", model, "--data", data, "--epochs", 1, "--batch-size",
               o.batch_size, "--threads", o.threads, "--limit-batches", limit, "--save", f"{folder}/weights.pt",
               *(["--data-dir", o.data_dir] if o.data_dir else [])])
    run.results = json.loads(run.output.splitlines()[-1])
    run.first_step = run.results["first_step"] - run.began
    return run


def row(text, unit, mine, his=None, digits=2):
    line = f"{text:<52}{statistics.median(mine):>10.{digits}f}"
    if his:
        line += f"{statistics.median(his):>10.{digits}f}{statistics.median([h / m for h, m in zip(his, mine)]):>8.1f}x"
    print(f"{line}   {unit}", flush=True)


def whole_process(o, model, limit, folder):
    label = f"{model}, 1 epoch" if not limit else f"{model}, {limit} steps"
    mine, usual, best = [], [], []
    for _ in range(o.pairs):
        mine.append(ours(o, model, limit, folder))
        if o.torch:
            usual.append(theirs(o, model, limit, "usual", folder))
            best.append(theirs(o, model, limit, "best", folder))
    for text, his in (("usual script", usual), ("best script", best)):
        if his or text.startswith("usual"):
            row(f"{label}, {text}", "s", [r.seconds for r in mine], [r.seconds for r in his])
    row(f"{label}, peak memory, usual script", "MiB", [r.rss / 2**20 for r in mine], [r.rss / 2**20 for r in usual], 0)
    row(f"{label}, start to first step, best script", "ms", [1e3 * r.first_step for r in mine],
        [1e3 * r.first_step for r in best], 0)
    if not limit:
        for name, runs in (("dlcore", mine), ("PyTorch", best)):
            if runs:
                row(f"{label}, test accuracy of {name}", "%", [100 * r.results["test_accuracy"] for r in runs], digits=1)


def per_step(o, model, folder):
    mine, his = [], {}
    for _ in range(o.pairs):
        mine.append(1e3 * o.batch_size / ours(o, model, 0, folder).results["images_per_second"])
        if o.torch:
            run = Run([sys.executable, HERE / "torch_step.py", "--model", model, "--batch-size", o.batch_size, "--threads",
                       o.threads, *(["--compile"] if o.compile else [])])
            for mode, value in json.loads(run.output.splitlines()[-1]).items():
                his.setdefault(mode, []).append(value)
    if not his:
        row(f"{model}, step", "ms", mine, digits=3)
    for mode, values in his.items():
        if mode.endswith("_error"):
            print(f"{model}, step, {mode[:-6]}: {values[0]}")
        else:
            row(f"{model}, step, {mode}", "ms", mine, values, 3)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dlcore", default=REPOSITORY / "build/release/bin/dlcore")
    p.add_argument("--data-dir", help="folder of Fashion-MNIST's files, when they are not in the usual place")
    p.add_argument("--models", default="lenet,mlp")
    p.add_argument("--pairs", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--no-compile", dest="compile", action="store_false", help="leave torch.compile out (it is slow to start)")
    p.add_argument("--attempts", type=int, default=3, help="measure again when other processes were busy")
    o = p.parse_args()
    Run.attempts = o.attempts
    o.torch = importlib.util.find_spec("torch") is not None

    print(f"{platform.machine()}, {os.cpu_count()} processors, {o.threads} threads, batch {o.batch_size}, Adam; "
          f"medians of {o.pairs} pairs; {Run([o.dlcore, '--version']).output.strip()}"
          + (f"; PyTorch {importlib.metadata.version('torch')}" if o.torch else "; PyTorch is not installed"))
    print(f"{'':<52}{'dlcore':>10}" + (f"{'PyTorch':>10}{'ratio':>9}" if o.torch else ""))
    with tempfile.TemporaryDirectory() as folder:
        helps = [1e3 * Run([o.dlcore, "--help"]).seconds for _ in range(5 * o.pairs)]
        imports = [1e3 * Run([sys.executable, "-c", "import torch"]).seconds for _ in range(o.pairs)] if o.torch else []
        row("dlcore --help / import torch", "ms", helps[:len(imports) or None], imports, 1)
        for model in o.models.split(","):
            whole_process(o, model, 0, folder)
            whole_process(o, model, 100, folder)
            per_step(o, model, folder)
    if Run.disturbed:
        print(f"{Run.disturbed} of {Run.count} measurements were disturbed by other processes")


if __name__ == "__main__":
    main()
