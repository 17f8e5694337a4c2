#!/usr/bin/env python3
"""Holds the decoders of plugins/imagefolder against Pillow's pixels, on the pictures given.

Usage: python3 tests/check_pixels.py FOLDER_OR_ARCHIVE.zip [LIMIT]     (needs Pillow, cc, libjpeg and libpng)

Every picture is decoded by both, as RGB and as grey, and all pixels must be equal. Prints the pictures that differ."""
import ctypes
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = [str(ROOT / "plugins" / "imagefolder" / (name + ".c")) for name in ("decode", "jpeg", "png", "pnm", "exif")]
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".pgm")


class Rules(ctypes.Structure):
    _fields_ = [("channels", ctypes.c_uint32), ("max_pixels", ctypes.c_int64), ("upright", ctypes.c_bool)]


class Picture(ctypes.Structure):
    pass


Reserve = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(Picture), ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
Picture._fields_ = [("size", ctypes.c_uint32), ("height", ctypes.c_int64), ("width", ctypes.c_int64),
                    ("channels", ctypes.c_int64), ("pixels", ctypes.c_void_p), ("reserve", Reserve),
                    ("scratch", ctypes.c_void_p)]


def load_decoder(folder):
    library = pathlib.Path(folder) / "decode.so"
    subprocess.run(["cc", "-std=c11", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-I", str(ROOT / "sdk" / "include"),
                    *SOURCES, "-o", str(library), "-ljpeg", "-lpng", "-lm"], check=True)
    return ctypes.CDLL(str(library)).img_decode


def decode(function, data, channels):
    kept = []

    def reserve(picture, height, width, n):
        kept.append(ctypes.create_string_buffer(height * width * n))
        p = picture.contents
        p.height, p.width, p.channels, p.pixels = height, width, n, ctypes.addressof(kept[-1])
        return 0

    picture = Picture(size=ctypes.sizeof(Picture), reserve=Reserve(reserve))
    reason = ctypes.create_string_buffer(256)
    status = function(ctypes.byref(Rules(channels, 178956970, False)), data, ctypes.c_size_t(len(data)),
                      ctypes.byref(picture), reason)
    if status != 0:
        return None, reason.value.decode()
    return (picture.width, picture.height), ctypes.string_at(picture.pixels,
                                                             picture.height * picture.width * picture.channels)


def pictures(path):
    if path.is_dir():
        for name in sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES):
            yield str(name.relative_to(path)), name.read_bytes()
    else:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(n for n in archive.namelist() if n.lower().endswith(SUFFIXES)):
                yield name, archive.read(name)


def main():
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as folder:
        function = load_decoder(folder)
        checked = different = 0
        for name, data in pictures(pathlib.Path(sys.argv[1])):
            if checked == limit:
                break
            checked += 1
            colour = Image.open(io.BytesIO(data)).convert("RGB")
            for channels, image in ((3, colour), (1, colour.convert("L"))):
                size, pixels = decode(function, data, channels)
                if (size, pixels) != (image.size, image.tobytes()):
                    different += 1
                    print(f"{name}, {channels} channels: {pixels if size is None else 'other pixels'}")
    print(f"{checked} pictures, {different} differences")
    sys.exit(different != 0 or checked == 0)


if __name__ == "__main__":
    main()
