#!/usr/bin/env python3
"""Writes tests/golden/transforms/: what torchvision on Pillow makes of small pictures, for test_transforms.

Usage: python3 tests/make_transform_vectors.py    (needs torch, torchvision, Pillow >= 12; the files are committed)

cases.json is a list of {name, step, draws, in, out}: `step` as in a list of transforms, `draws` the random numbers the
transform is given in order, `in` and `out` {dtype, height, width, channels, offset} of pixels, interleaved, in pixels.bin.
A random choice is made here from the draws by the rule that the transform documents, and torchvision's functions are
then called with what was chosen."""
import json
import math
import pathlib

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional as F
from torchvision.transforms import InterpolationMode as Mode

OUT = pathlib.Path(__file__).resolve().parent / "golden" / "transforms"
rng = np.random.default_rng(20)
cases, pixels, places = [], bytearray(), {}


def scene(height, width):
    """Something like a photo: soft light, edges, texture, saturated spots."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    light = 110 + 90 * np.sin(x / 9.0) * np.cos(y / 7.0)
    picture = np.stack([light + 2 * y, light * 0.8 + 30, 220 - light * 0.7 + x], -1)
    disc = (x - width * 0.6) ** 2 + (y - height * 0.4) ** 2 < (min(height, width) * 0.3) ** 2
    picture[disc] = (235, 60, 20)
    picture[: height // 5, : width // 4] = (0, 255, 255)
    picture += rng.normal(0, 12, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def place(array):
    array = np.ascontiguousarray(array)
    if array.ndim == 2:
        array = array[:, :, None]
    data = array.tobytes()
    if data not in places:
        pixels.extend(b"\0" * (-len(pixels) % 4))
        places[data] = len(pixels)
        pixels.extend(data)
    height, width, channels = array.shape
    dtype = {np.dtype(np.uint8): "u8", np.dtype(np.float32): "f32"}[array.dtype]
    return {"dtype": dtype, "height": height, "width": width, "channels": channels, "offset": places[data]}


def add(name, step, picture, result, draws=()):
    cases.append({"name": name, "step": step, "draws": list(draws), "in": place(picture), "out": place(np.asarray(result))})


def unit(k):
    return k / 16.0  # exact in single precision


def between(u, low, high):
    return low + (high - low) * u


def below(u, n):
    return int(u * n)


photo, tall, noise = scene(36, 50), scene(57, 27), rng.integers(0, 256, (24, 25, 3), dtype=np.uint8)
grey = scene(28, 40)[:, :, 1]
pil = Image.fromarray
MODES = {"bilinear": Mode.BILINEAR, "nearest": Mode.NEAREST, "bicubic": Mode.BICUBIC}

# ---- resize ----
for name, picture in (("photo", photo), ("tall", tall), ("grey", grey)):
    add(f"resize {name} by its shorter side", "resize(20)", picture, F.resize(pil(picture), 20))
for size in ((33, 50), (70, 64), (3, 5), (1, 1), (36, 30), (20, 50), (9, 49)):
    add(f"resize to {size}", f"resize([{size[0]}, {size[1]}])", photo, F.resize(pil(photo), size))
for word in ("nearest", "bicubic"):
    for size in ((31, 19), (50, 71)):
        step = f"resize([{size[0]}, {size[1]}], interpolation={word})"
        add(f"resize {word} to {size}", step, noise, F.resize(pil(noise), size, MODES[word]))
add("resize one line", "resize([4, 9])", photo[:1], F.resize(pil(photo[:1]), (4, 9)))
add("resize one column", "resize([9, 4])", photo[:, :1], F.resize(pil(np.ascontiguousarray(photo[:, :1])), (9, 4)))

# ---- crops and flips ----
for size in ((32, 32), (31, 25), (50, 80), (20, 80), (50, 41)):
    add(f"center_crop {size}", f"center_crop([{size[0]}, {size[1]}])", photo, F.center_crop(pil(photo), size))
for mode, fill in (("zero", "constant"), ("reflect", "reflect")):
    for padding, draws in (([4, 3], (0, 0)), ([4, 3], (unit(15), unit(15))), ([1, 3, 5, 2], (unit(7), unit(3)))):
        padded = F.pad(pil(noise), padding, padding_mode=fill)
        top, left = below(draws[0], padded.height - 24 + 1), below(draws[1], padded.width - 20 + 1)
        step = f"random_crop([24, 20], padding={padding}, padding_mode={mode})"
        add(f"random_crop {mode} at {top}, {left}", step, noise, F.crop(padded, top, left, 24, 20), draws)
add("random_horizontal_flip", "random_horizontal_flip(1)", photo, F.hflip(pil(photo)), (0.5,))
add("random_horizontal_flip grey", "random_horizontal_flip(1)", grey, F.hflip(pil(grey)), (0.5,))
add("random_horizontal_flip that is not drawn", "random_horizontal_flip", photo, photo, (0.5,))
add("random_vertical_flip", "random_vertical_flip(1)", photo, F.vflip(pil(photo)), (0.5,))

# ---- random_resized_crop ----


def choose(picture, scale, ratio, draws):
    height, width = picture.shape[:2]
    for t in range(len(draws) // 4):
        u = draws[4 * t:4 * t + 4]
        area = height * width * between(u[0], *scale)
        aspect = math.exp(between(u[1], math.log(ratio[0]), math.log(ratio[1])))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return below(u[2], height - h + 1), below(u[3], width - w + 1), h, w
    if width / height < ratio[0]:
        h, w = round(width / ratio[0]), width
    elif width / height > ratio[1]:
        h, w = height, round(height * ratio[1])
    else:
        h, w = height, width
    return (height - h) // 2, (width - w) // 2, h, w


FAILING = (unit(15), unit(15), 0, 0) * 10
for name, picture, scale, ratio, draws in (
        ("photo", photo, (0.5, 1.0), (3 / 4, 4 / 3), (unit(4), unit(6), unit(9), unit(13))),
        ("tall", tall, (0.08, 1.0), (3 / 4, 4 / 3), (unit(2), unit(14), unit(15), unit(0))),
        ("second try", photo, (0.5, 1.0), (0.2, 5.0), FAILING[:4] + (unit(1), unit(8), unit(8), unit(8))),
        ("too wide", photo, (0.9, 1.0), (0.2, 0.5), FAILING),
        ("too narrow", tall, (0.9, 1.0), (2.0, 3.0), FAILING),
        ("whole", photo, (0.98, 1.0), (0.5, 3.0), FAILING)):
    box = choose(picture, scale, ratio, draws)
    step = f"random_resized_crop(28, scale=[{scale[0]}, {scale[1]}], ratio=[{ratio[0]!r}, {ratio[1]!r}])"
    add(f"random_resized_crop {name}", step, picture, F.resized_crop(pil(picture), *box, [28, 28]), draws)

# ---- random_rotation ----
for u in (0, unit(3), unit(11), unit(15)):
    add(f"random_rotation draw {u}", "random_rotation(20)", photo, F.rotate(pil(photo), between(u, -20, 20)), (u,))
for angle in (90, 180, 270, 45, -133.25, 1e-3):
    add(f"random_rotation {angle}", f"random_rotation([{angle}, {angle}])", tall, F.rotate(pil(tall), angle), (0.5,))
add("random_rotation square", "random_rotation([90, 90])", noise[:, :24], F.rotate(pil(np.ascontiguousarray(noise[:, :24])), 90), (0,))
add("random_rotation grey", "random_rotation([-17, -17])", grey, F.rotate(pil(grey), -17), (0,))

# ---- colours ----
ADJUST = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
NAMES = ("brightness", "contrast", "saturation", "hue")
for kind, factors in enumerate(((0.0, 0.6, 1.7), (0.0, 0.4, 2.2), (0.0, 0.3, 3.0), (-0.5, -0.05, 0.31))):
    for factor in factors:
        for picture in ((noise, photo) if factor == factors[1] else (noise,)):
            step = f"color_jitter({NAMES[kind]}=[{factor}, {factor}])"
            add(f"color_jitter {NAMES[kind]} {factor}", step, picture, ADJUST[kind](pil(picture), factor), (0,) * 8)
add("color_jitter grey", "color_jitter(0.5, 0.5, 0.5, 0.5)", grey,
    F.adjust_contrast(F.adjust_brightness(pil(grey), between(unit(12), 0.5, 1.5)), between(unit(3), 0.5, 1.5)),
    (0.99, 0.99, 0.99, 0, unit(12), unit(3), unit(5), unit(7)))
for order in ((0.9375, 0.9375, 0.9375), (0, 0, 0), (0.25, 0.5, 0.0), (0.5, 0.75, 0.5)):
    draws = order + (0, unit(13), unit(2), unit(15), unit(1))
    turns = [0, 1, 2, 3]
    for n, i in enumerate((3, 2, 1)):
        j = below(order[n], i + 1)
        turns[i], turns[j] = turns[j], turns[i]
    ranges = ((0.7, 1.3), (0.6, 1.4), (0.0, 2.5), (-0.2, 0.2))
    picture = pil(photo)
    for kind in turns:
        picture = ADJUST[kind](picture, between(draws[4 + kind], *ranges[kind]))
    add(f"color_jitter in the order {turns}", "color_jitter(0.3, contrast=0.4, saturation=1.5, hue=0.2)", photo, picture, draws)
for channels in (1, 3):
    step = f"grayscale({channels})"
    add(f"grayscale {channels}", step, noise, F.to_grayscale(pil(noise), channels))
    add(f"grayscale {channels} of grey", step, grey, F.to_grayscale(pil(grey), channels))

# ---- floats ----
small = photo[:9, :11]
floats = np.ascontiguousarray(F.to_tensor(pil(np.ascontiguousarray(small))).permute(1, 2, 0).numpy())


def normalized(mean, std):
    return F.normalize(torch.tensor(floats).permute(2, 0, 1), mean, std).permute(1, 2, 0).numpy()


IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
add("to_float", "to_float", small, floats)
add("normalize bytes", "normalize(imagenet)", small, normalized(*IMAGENET))
add("normalize floats", "normalize(imagenet)", floats, normalized(*IMAGENET))
add("normalize by numbers", "normalize(mean=[0.1, 0.2, 0.3], std=[0.5, 0.25, 2])", floats,
    normalized([0.1, 0.2, 0.3], [0.5, 0.25, 2]))
add("normalize by half", "normalize(half)", small, normalized([0.5], [0.5]))


def erased(picture, value, draws):
    height, width = picture.shape[:2]
    area = height * width * between(draws[1], 0.02, 0.33)
    aspect = math.exp(between(draws[2], math.log(0.3), math.log(3.3)))
    h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
    assert h < height and w < width
    top, left = below(draws[3], height - h + 1), below(draws[4], width - w + 1)
    tensor = torch.tensor(picture).permute(2, 0, 1)
    value = torch.tensor(value, dtype=tensor.dtype)[:, None, None]
    return F.erase(tensor, top, left, h, w, value).permute(1, 2, 0).numpy()


draws = (0, unit(9), unit(6), unit(12), unit(5))
add("random_erasing", "random_erasing(1)", photo, erased(photo, [0], draws), draws)
add("random_erasing bytes", "random_erasing(1, value=[1, 20, 255])", photo, erased(photo, [1, 20, 255], draws), draws)
add("random_erasing floats", "random_erasing(1, value=[0.5])", floats, erased(floats, [0.5], draws), draws)
add("random_erasing that is not drawn", "random_erasing(0.25)", photo, photo, (0.25,))

OUT.mkdir(parents=True, exist_ok=True)
(OUT / "pixels.bin").write_bytes(pixels)
(OUT / "cases.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
print(f"{len(cases)} cases, {len(pixels)} bytes of pixels")
