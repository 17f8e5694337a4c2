#!/usr/bin/env python3
"""Writes tests/golden/images/: small pictures of every kind, and index.txt with what Pillow makes of them.

Usage: python3 tests/make_images.py        (needs Pillow >= 10.2 and cjpeg; the files are committed, so nobody else does)

A line of index.txt: FILE WIDTH HEIGHT RGB GREY WIDTH HEIGHT UPRIGHT. RGB is the FNV-1a hash (64 bits, hexadecimal) of
the pixels of convert("RGB"), GREY of those of convert("RGB").convert("L") (of convert("L") where the file is grey), and
UPRIGHT of ImageOps.exif_transpose() as RGB, before it its size. In one thing the pictures here are not Pillow's: 16-bit
grey is scaled to 8 bits, where Pillow cuts everything above 255 off."""
import io
import pathlib
import struct
import subprocess
import zlib

from PIL import Image, ImageOps

OUT = pathlib.Path(__file__).resolve().parent / "golden" / "images"
WIDTH, HEIGHT = 19, 13
lines = []


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def level(x, y, c):
    """Of 65536: a slope with an edge and some noise."""
    return (x * (2500 + 700 * c) + y * (3000 - 900 * c) + (20000 if x > 9 - c else 0) + (x * y * 7919 + c * 104729) % 6000) % 65536


def picture(mode, width=WIDTH, height=HEIGHT):
    n = len(Image.new(mode, (1, 1)).getbands())
    data = bytes(level(x, y, c) >> 8 for y in range(height) for x in range(width) for c in range(n))
    return Image.frombytes(mode, (width, height), data)


def add(name, data, eight_bits=None):
    """`eight_bits`: the right picture, where it is not Pillow's."""
    (OUT / name).write_bytes(data)
    image = eight_bits or Image.open(io.BytesIO(data))
    image.load()
    rgb, upright = image.convert("RGB"), ImageOps.exif_transpose(image).convert("RGB")
    grey = image.convert("L") if image.mode in ("1", "L", "LA") else rgb.convert("L")
    lines.append(f"{name} {rgb.width} {rgb.height} {fnv(rgb.tobytes())} {fnv(grey.tobytes())} "
                 f"{upright.width} {upright.height} {fnv(upright.tobytes())}\n")


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


# ---- JPEG ----

def exif(orientation):
    tags = Image.Exif()
    tags[274] = orientation
    return tags


def little_endian(data):
    """The same EXIF block in the other byte order."""
    at = data.index(b"Exif\0\0MM\0*") + 6
    tiff = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 274, 3, 1, data[at + 19], 0, 0)
    return data[:at] + tiff + data[at + len(tiff):]


def write_jpegs():
    rgb, cmyk = picture("RGB"), picture("CMYK")
    for name, sampling in (("444", "4:4:4"), ("422", "4:2:2"), ("420", "4:2:0")):
        add(f"sampling_{name}.jpg", saved(rgb, "JPEG", quality=85, subsampling=sampling))
    add("progressive.jpg", saved(rgb, "JPEG", progressive=True))
    add("grey.jpg", saved(picture("L"), "JPEG"))
    add("grey_progressive.jpg", saved(picture("L"), "JPEG", progressive=True))
    add("1x1.jpg", saved(picture("RGB", 1, 1), "JPEG"))
    add("64x3.jpg", saved(picture("RGB", 64, 3), "JPEG"))
    for name, options in (("large", {}), ("large_progressive", {"progressive": True})):
        add(f"{name}.jpg", saved(picture("RGB", 160, 120), "JPEG", quality=60, **options))
    add("rgb.jpg", saved(rgb, "JPEG", keep_rgb=True))
    add("restarts.jpg", saved(rgb, "JPEG", restart_marker_blocks=1))
    add("after_the_end.jpg", saved(rgb, "JPEG") + b"more\xff\xd8\xff\xe0")
    adobe = saved(cmyk, "JPEG")
    add("cmyk.jpg", adobe)
    at = adobe.index(b"Adobe") + 11
    assert adobe[at] == 0
    add("ycck.jpg", adobe[:at] + b"\x02" + adobe[at + 1:])
    for orientation in range(1, 9):
        add(f"orientation_{orientation}.jpg", saved(rgb, "JPEG", exif=exif(orientation)))
    add("orientation_little_endian.jpg", little_endian(saved(rgb, "JPEG", exif=exif(6))))
    add("uncommon_sampling.jpg", subprocess.run(["cjpeg", "-quality", "85", "-sample", "3x1,1x1,1x1"], check=True,
                                                input=saved(rgb, "PPM"), capture_output=True).stdout)
    add("arithmetic.jpg", subprocess.run(["cjpeg", "-arithmetic"], check=True, input=saved(rgb, "PPM"),
                                         capture_output=True).stdout)


# ---- PNG ----

def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def packed_rows(samples, depth):
    """Rows of samples (each below 2 ** depth) with filter 0."""
    out = b""
    for row in samples:
        bits = "".join(f"{s:0{depth}b}" for s in row)
        bits += "0" * (-len(bits) % 8)
        out += b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
    return out


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png(kind, depth, channels, interlaced=False, before=b"", value=lambda x, y, c, depth: level(x, y, c) >> 16 - depth):
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = b""
    for x0, y0, dx, dy in passes:
        rows += packed_rows([[value(x, y, c, depth) for x in range(x0, WIDTH, dx) for c in range(channels)]
                             for y in range(y0, HEIGHT, dy)], depth)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, kind, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows, 9)) +
            chunk(b"IEND", b""))


def write_pngs():
    grey, rgb, indexed, grey_alpha, rgba = 0, 2, 3, 4, 6
    for depth in (1, 2, 4, 8):
        add(f"grey_{depth}.png", png(grey, depth, 1))
    upper = Image.frombytes("L", (WIDTH, HEIGHT), bytes(level(x, y, 0) >> 8 for y in range(HEIGHT) for x in range(WIDTH)))
    add("grey_16.png", png(grey, 16, 1), eight_bits=upper)
    add("grey_alpha.png", png(grey_alpha, 8, 2))
    add("rgb.png", png(rgb, 8, 3))
    add("rgb_16.png", png(rgb, 16, 3))
    add("rgb_interlaced.png", png(rgb, 8, 3, interlaced=True))
    add("rgb_gamma.png", png(rgb, 8, 3, before=chunk(b"gAMA", struct.pack(">I", 100000))))
    add("rgb_transparent.png", png(rgb, 8, 3, before=chunk(b"tRNS", struct.pack(">HHH", 0, 11, 22))))
    add("rgba.png", png(rgba, 8, 4))
    add("rgba_16.png", png(rgba, 16, 4))
    for depth in (1, 2, 4, 8):
        colours = bytes(level(i, i, c) >> 8 for i in range(1 << depth) for c in range(3))
        add(f"palette_{depth}.png", png(indexed, depth, 1, before=chunk(b"PLTE", colours)))
    add("palette_alpha.png", png(indexed, 2, 1, before=chunk(b"PLTE", bytes(range(100, 112))) +
                                 chunk(b"tRNS", b"\0\x80\xff\x01")))
    add("palette_interlaced.png", png(indexed, 4, 1, True, before=chunk(b"PLTE", bytes(range(100, 148)))))
    add("large.png", saved(picture("RGB", 60, 45), "PNG"))
    tags = exif(8).tobytes()[6:]
    add("orientation_8.png", png(rgb, 8, 3, before=chunk(b"eXIf", tags)))


# ---- PPM and PGM ----

def samples(channels, scale):
    return [level(x, y, c) >> scale for y in range(HEIGHT) for x in range(WIDTH) for c in range(channels)]


def write_pnms():
    size = f"{WIDTH} {HEIGHT}".encode()
    grey, rgb = samples(1, 8), samples(3, 8)
    add("grey.pgm", b"P5\n" + size + b"\n255\n" + bytes(grey))
    add("rgb.ppm", b"P6\n# a comment\n" + size + b" 255 " + bytes(rgb))
    add("rgb_maxval_100.ppm", b"P6\n" + size + b"\n100\n" + bytes(v % 101 for v in rgb))
    add("rgb_16.ppm", b"P6\n" + size + b"\n65535\n" + struct.pack(f">{len(rgb)}H", *samples(3, 0)))
    add("grey_text.pgm", b"P2 # text\n" + size + b"\n255\n" + b" ".join(b"%d" % v for v in grey) + b"\n")
    add("rgb_text.ppm", b"P3\n" + size + b"\n255\n" + b"\n".join(b"%d" % v for v in rgb))
    wide = samples(1, 0)
    scaled = Image.frombytes("L", (WIDTH, HEIGHT), bytes(round(v / 65535 * 255) for v in wide))
    add("grey_16.pgm", b"P5\n" + size + b"\n65535\n" + struct.pack(f">{len(wide)}H", *wide), eight_bits=scaled)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    write_jpegs()
    write_pngs()
    write_pnms()
    (OUT / "index.txt").write_text("".join(sorted(lines)))


if __name__ == "__main__":
    main()
