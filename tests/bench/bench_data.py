#!/usr/bin/env python3
"""Reading and augmenting pictures, dlcore beside torchvision: python3 tests/bench/bench_data.py cats_and_dogs_filtered.zip

    cmake --build build/release --target bench_loader

Both decode the same JPEGs, apply the same list of random transforms and make batches, each on one thread, in turn; figures
are pictures a second of processor time, medians over --pairs. "bare" is TurboJPEG's decoding alone. With --cifar
cifar-10-python.tar.gz it also times how soon dlcore has it ready, beside `gzip -dc`.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

LISTS = {
    "convnet-004 training": "color_jitter(saturation=0.05, hue=0.05) random_horizontal_flip random_rotation(20) resize(256) "
    "random_resized_crop(size=224, scale=[0.5, 1.0]) normalize(imagenet)",
    "resize, crop, flip": "resize(256) random_crop(224) random_horizontal_flip",
}


def torch_list(name):
    from torchvision import transforms as T

    normalize = T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    if name.startswith("convnet-004"):
        return T.Compose([T.ColorJitter(hue=0.05, saturation=0.05), T.RandomHorizontalFlip(), T.RandomRotation(20),
                          T.Resize(256), T.RandomResizedCrop(224, scale=(0.5, 1.0)), T.ToTensor(), normalize])
    return T.Compose([T.Resize(256), T.RandomCrop(224), T.RandomHorizontalFlip(), T.PILToTensor()])


def torch_rate(folder, name, seconds):
    """Pictures a processor second of torchvision's ImageFolder behind a DataLoader without workers."""
    import torch
    from torchvision.datasets import ImageFolder

    torch.set_num_threads(1)
    loader = torch.utils.data.DataLoader(ImageFolder(folder, transform=torch_list(name)), batch_size=32, shuffle=True)
    pictures, began = 0, time.process_time()
    while True:
        for batch, _ in loader:
            pictures += len(batch)
            if time.process_time() - began > seconds:
                return pictures / (time.process_time() - began)


def our_rates(tool, plugins, source, text, seconds):
    out = subprocess.run([tool, plugins, source, str(seconds), text], check=True, capture_output=True, text=True).stdout
    return {line.split()[0]: float(line.split()[1]) for line in out.splitlines()}


def seconds_of(command):
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def compare_lists(args, folder):
    print(f"{'pictures a core second':32} {'dlcore':>8} {'torchvision':>12} {'ratio':>6} {'bare':>8} {'bare/dlcore':>12}")
    for name, text in LISTS.items():
        ours, theirs, bare = [], [], []
        for _ in range(args.pairs):
            rates = our_rates(args.build / "tests" / "bench_loader", args.build / "lib" / "dlcore", args.source, text,
                              args.seconds)
            ours.append(rates["loader"])
            bare.append(rates["decode"])
            theirs.append(torch_rate(folder, name, args.seconds))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        cost = statistics.median(b / a for a, b in zip(ours, bare))
        print(f"{name:32} {statistics.median(ours):8.0f} {statistics.median(theirs):12.0f} {ratio:6.2f} "
              f"{statistics.median(bare):8.0f} {cost:12.2f}")


def compare_cifar(args):
    ours, gzip = [], []
    dlcore = args.build / "bin" / "dlcore"
    for _ in range(args.pairs):
        ours.append(seconds_of([dlcore, "summary", "--dataset", "cifar10", "--data-dir", args.cifar, "--model", "mlp"]))
        gzip.append(seconds_of(["gzip", "-dc", args.cifar]))
    ratio = statistics.median(a / b for a, b in zip(ours, gzip))
    print(f"{args.cifar.name} ready after {statistics.median(ours):.2f} s; gzip -dc {statistics.median(gzip):.2f} s; "
          f"ratio {ratio:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path, help="a zip with train/CLASS/*.jpg")
    parser.add_argument("--cifar", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--pairs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(args.source) as archive:
            archive.extractall(folder)
        train = next(pathlib.Path(folder).rglob("train"))
        compare_lists(args, train)
    if args.cifar:
        compare_cifar(args)


sys.exit(main())
