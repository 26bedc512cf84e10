"""Makes the picture fixtures: small files of every kind that is read, and what they decode to.

    pip install pillow==13.0.0
    python make.py

PNG files come from the encoder below, because Pillow writes few of the kinds; Pillow then has to
read them too. JPEG and WebP files, their decoded pixels and the resized pictures come from Pillow.
"""

import io
import json
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

FOLDER = Path(__file__).parent
decoded = {}


def record(name, width, height, channels, pixels):
    assert len(pixels) == width * height * channels, name
    decoded[name] = {
        "width": width, "height": height, "channels": channels, "pixels": bytes(pixels).hex()}


# PNG

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def packed(samples, depth):
    """Samples of `depth` bits as bytes, a row at a time, most significant first."""
    bits = "".join(format(s, f"0{depth}b") for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(rows, step):
    """Rows with filters 0 to 4 in turn."""
    out = b""
    above = bytes(len(rows[0])) if rows else b""
    for y, row in enumerate(rows):
        kind = y % 5
        out += bytes([kind])
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = above[i]
            c = above[i - step] if i >= step else 0
            guess = [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]
            out += bytes([(value - guess) & 255])
        above = row
    return out


def png(width, height, depth, color, pixel, interlaced, extra):
    step = max(1, depth * SAMPLES[color] // 8)
    data = b""
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        columns = range(x0, width, dx)
        rows = [packed([s for x in columns for s in pixel(x, y)], depth)
                for y in range(y0, height, dy)]
        if len(columns) and rows:
            data += filtered(rows, step)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    compressed = zlib.compress(data, 9)
    # Two IDAT chunks, as large files have.
    half = len(compressed) // 2
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", compressed[:half])
            + chunk(b"IDAT", compressed[half:]) + chunk(b"IEND", b""))


def to8(value, depth):
    return round(value * 255 / (2 ** depth - 1))


def make_png(name, depth, color, interlaced=0, transparent=False):
    width, height = 11, 9
    top = 2 ** depth - 1
    palette = [((i * 37) % 256, (i * 91 + 20) % 256, 255 - (i * 53) % 256)
               for i in range(min(top + 1, 40))]
    alphas = [(i * 67) % 256 for i in range(len(palette) - 1)]

    def sample(x, y, c):
        return (x * (top // 7 + 1) + y * (top // 5 + 3) + c * 41 * (top // 97 + 1)) % (top + 1)

    def pixel(x, y):
        if color == PALETTE:
            return [sample(x, y, 0) % len(palette)]
        return [sample(x, y, c) for c in range(SAMPLES[color])]

    key = pixel(3, 2)
    extra = b""
    if color == PALETTE:
        extra += chunk(b"PLTE", b"".join(bytes(p) for p in palette))
        if transparent:
            extra += chunk(b"tRNS", bytes(alphas))
    elif transparent:
        extra += chunk(b"tRNS", b"".join(struct.pack(">H", s) for s in key))

    out = []
    for y in range(height):
        for x in range(width):
            p = pixel(x, y)
            if color == PALETTE:
                out += palette[p[0]]
                if transparent:
                    out.append(alphas[p[0]] if p[0] < len(alphas) else 255)
                continue
            eight = [to8(s, depth) for s in p]
            if color == GREY and not transparent:
                out += eight
            elif color == GREY:
                out += eight * 3 + [0 if p == key else 255]
            elif color == RGB:
                out += eight + ([0 if p == key else 255] if transparent else [])
            elif color == GREY_ALPHA:
                out += eight[:1] * 3 + eight[1:]
            else:
                out += eight
    channels = len(out) // (width * height)
    data = png(width, height, depth, color, pixel, interlaced, extra)
    if depth == 8:  # Pillow rounds other depths in its own ways
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
        assert Image.open(io.BytesIO(data)).convert(mode).tobytes() == bytes(out), name
    Image.open(io.BytesIO(data)).load()
    (FOLDER / f"{name}.png").write_bytes(data)
    record(f"{name}.png", width, height, channels, out)


for depth in [1, 2, 4, 8, 16]:
    make_png(f"grey{depth}", depth, GREY, interlaced=depth == 2)
    if depth < 16:
        make_png(f"palette{depth}", depth, PALETTE, interlaced=depth == 4)
        make_png(f"palette{depth}-transparent", depth, PALETTE, transparent=True)
    if depth >= 8:
        make_png(f"rgb{depth}", depth, RGB)
        make_png(f"rgb{depth}-interlaced", depth, RGB, interlaced=1)
        make_png(f"grey-alpha{depth}", depth, GREY_ALPHA, interlaced=depth == 16)
        make_png(f"rgba{depth}", depth, RGBA, interlaced=depth == 8)
for depth in [1, 4, 8, 16]:
    make_png(f"grey{depth}-transparent", depth, GREY, transparent=True, interlaced=depth == 8)
for depth in [8, 16]:
    make_png(f"rgb{depth}-transparent", depth, RGB, transparent=True)


# JPEG and WebP

def scene(width, height, mode):
    """A smooth picture with one edge, kind to lossy formats."""
    picture = Image.new("RGBA", (width, height))
    for y in range(height):
        for x in range(width):
            edge = 60 if x + y > width else 0
            picture.putpixel((x, y), (40 + 8 * x % 200, 30 + 9 * y + edge, 200 - 5 * x,
                                      255 if x < width // 2 else 40 + 12 * y))
    if mode == "CMYK":
        return picture.convert("RGB").convert("CMYK")
    return picture.convert(mode)


def save(name, picture, **options):
    picture.save(FOLDER / name, **options)
    record_decoded(name)


def record_decoded(name):
    picture = Image.open(FOLDER / name)
    if picture.mode not in ("L", "RGBA"):
        picture = picture.convert("RGB")
    record(name, *picture.size, len(picture.getbands()), picture.tobytes())


save("grey.jpg", scene(19, 13, "L"), quality=92)
save("color420.jpg", scene(19, 13, "RGB"), quality=90, subsampling=2)
save("color444-progressive.jpg", scene(19, 13, "RGB"), quality=90, subsampling=0, progressive=True)
save("color-rgb.jpg", scene(19, 13, "RGB"), quality=90, keep_rgb=True)
save("cmyk.jpg", scene(19, 13, "CMYK"), quality=92)
# The same with Adobe's transform byte set: the data now counts as YCCK.
cmyk = bytearray((FOLDER / "cmyk.jpg").read_bytes())
at = cmyk.index(b"Adobe")
cmyk[at + 11] = 2
(FOLDER / "ycck.jpg").write_bytes(cmyk)
record_decoded("ycck.jpg")

save("lossy.webp", scene(19, 13, "RGB"), quality=80)
save("lossy-alpha.webp", scene(19, 13, "RGBA"), quality=80)
save("lossless.webp", scene(19, 13, "RGB"), lossless=True)
save("lossless-alpha.webp", scene(19, 13, "RGBA"), lossless=True, exact=True)
frames = [scene(19, 13, "RGB"), scene(19, 13, "RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
frames[0].save(FOLDER / "animated.webp", save_all=True, append_images=frames[1:], duration=100)

# Metadata by another hand: orientation, and parameters as Automatic1111 writes them.

PARAMETERS = "a café, 猫\nSteps: 20, Sampler: Euler a, Seed: 1"


def exif(orientation=None, comment=None):
    block = Image.Exif()
    if orientation:
        block[0x0112] = orientation
    if comment:
        block.get_ifd(0x8769)[0x9286] = comment
    return block.tobytes()


small = scene(6, 4, "RGB")
for orientation in range(1, 9):
    small.save(FOLDER / f"orientation{orientation}.png", exif=exif(orientation))
small.save(FOLDER / "orientation6.jpg", quality=95, subsampling=0, exif=exif(6))
small.save(FOLDER / "orientation8.webp", lossless=True, exif=exif(8))
comment = b"UNICODE\0" + PARAMETERS.encode("utf-16-be")
small.save(FOLDER / "parameters.jpg", exif=exif(comment=comment))
small.save(FOLDER / "parameters.webp", exif=exif(comment=comment))
little = b"UNICODE\0" + PARAMETERS.encode("utf-16-le")
small.save(FOLDER / "parameters-little.jpg", exif=exif(comment=little))
small.save(FOLDER / "parameters-ascii.jpg", exif=exif(comment=b"ASCII\0\0\0plain, Steps: 4"))

texts = PngInfo()
texts.add_text("parameters", PARAMETERS)
texts.add_text("Title", "naïve")
texts.add_text("long", "x" * 3000, zip=True)
texts.add_itxt("prompt", '{"1": "ñ猫"}', lang="en", tkey="Prompt", zip=True)
small.save(FOLDER / "texts.png", pnginfo=texts)

for orientation in range(1, 9):
    picture = ImageOps.exif_transpose(Image.open(FOLDER / f"orientation{orientation}.png"))
    record(f"orientation{orientation}.png", *picture.size, 3, picture.tobytes())

(FOLDER / "decoded.json").write_text(json.dumps(decoded, indent=0) + "\n")

# Resizing. The sources are lossless files from above or made by a formula the test knows.

FILTERS = {"nearest": 0, "box": 4, "bilinear": 2, "bicubic": 3, "lanczos": 1}
resized = []


def noise(width, height, mode):
    """Hard for a filter: full-range detail at every pixel."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    state, values = 1, []
    for _ in range(width * height * channels):
        state = (state * 1103515245 + 12345) % 2 ** 31
        values.append(state >> 23)
    return Image.frombytes(mode, (width, height), bytes(values))


for mode in ["L", "RGB", "RGBA"]:
    for size, new in [((23, 17), (9, 5)), ((23, 17), (31, 40)), ((23, 17), (23, 4)),
                      ((40, 3), (7, 3)), ((5, 4), (1, 1))]:
        source = noise(*size, mode)
        for name, number in FILTERS.items():
            if new == (31, 40) and mode != "L":
                continue
            pixels = source.resize(new, number).tobytes()
            resized.append({"mode": mode, "source": size, "target": new, "filter": name,
                            "pixels": pixels.hex()})
(FOLDER / "resized.json").write_text(
    "[\n" + ",\n".join(json.dumps(r) for r in resized) + "\n]\n")
