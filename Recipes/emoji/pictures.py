"""Draws glyphs and recolours them."""

import numpy
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
SIZE = 128

# Hue in turns, least saturation and factor of brightness of each colour word.
COLOURS = {
    "red": (0.0, 0.75, 0.95),
    "orange": (0.075, 0.85, 1.0),
    "yellow": (0.14, 0.75, 1.05),
    "green": (0.33, 0.65, 0.8),
    "blue": (0.6, 0.7, 0.95),
    "purple": (0.76, 0.55, 0.85),
    "pink": (0.92, 0.42, 1.1),
    "brown": (0.07, 0.6, 0.6),
    "black": (0.0, 0.0, 0.28),
    "grey": (0.0, 0.0, 0.75),
}
BACKGROUNDS = {
    "red": (221, 46, 52), "orange": (250, 145, 40), "yellow": (253, 216, 60), "green": (76, 175, 80),
    "blue": (48, 120, 220), "purple": (142, 68, 190), "pink": (248, 165, 200), "brown": (121, 85, 62),
    "black": (12, 12, 12), "grey": (150, 150, 150), "light blue": (140, 205, 245),
}


class Drawer:
    """Draws emoji of the font as 128 x 128 RGBA arrays, alpha not premultiplied."""

    def __init__(self):
        self.font = ImageFont.truetype(FONT, 109, layout_engine=ImageFont.Layout.RAQM)

    def draw(self, text):
        """The glyph of `text`; raises when the font has no single glyph for it."""
        if self.font.getlength(text) > 150:
            raise ValueError(f"{text} is not one glyph")
        side = 136
        canvas = Image.new("RGBA", (side, side))
        left, top, right, bottom = self.font.getbbox(text)
        ImageDraw.Draw(canvas).text(
            (-left, -top + (side - bottom + top) // 2), text, font=self.font, embedded_color=True)
        # What Pillow leaves on a transparent canvas is premultiplied, as interpolation needs it.
        array = numpy.asarray(canvas).astype(numpy.float32)
        planes = [
            numpy.asarray(Image.fromarray(array[..., c]).resize((SIZE, SIZE), Image.LANCZOS))
            for c in range(4)
        ]
        array = numpy.clip(numpy.stack(planes, -1), 0, 255)
        alpha = array[..., 3:]
        array[..., :3] = numpy.where(alpha > 0.5, array[..., :3] * 255 / numpy.maximum(alpha, 1), 0)
        return numpy.clip(array + 0.5, 0, 255).astype(numpy.uint8)


def hue_saturation_value(rgb):
    x = rgb.astype(numpy.float32) / 255
    value, low = x.max(-1), x.min(-1)
    span = value - low
    safe = numpy.maximum(span, 1e-6)
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    hue = numpy.where(
        value == r, (g - b) / safe % 6, numpy.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4))
    return hue / 6 % 1, span / numpy.maximum(value, 1e-6), value


def rgb(hue, saturation, value):
    k = (numpy.asarray([5.0, 3.0, 1.0]) + 6 * numpy.asarray(hue)[..., None]) % 6
    part = numpy.clip(numpy.minimum(k, 4 - k), 0, 1)
    out = value[..., None] * (1 - saturation[..., None] * part)
    return numpy.clip(255 * out + 0.5, 0, 255).astype(numpy.uint8)


def main_part(picture):
    """A soft mask of the pixels that have the picture's main colour, and the name of that colour."""
    hue, saturation, value = hue_saturation_value(picture[..., :3])
    opaque = picture[..., 3].astype(numpy.float32) / 255
    vivid = opaque * (saturation > 0.25) * (value > 0.2)
    if vivid.sum() < 0.25 * opaque.sum():
        # A grey thing: its body is what is neither vivid nor nearly black.
        return opaque * (saturation <= 0.25) * (value > 0.3), "grey"
    weights = numpy.histogram(hue, bins=36, range=(0, 1), weights=vivid)[0]
    smooth = weights + numpy.roll(weights, 1) + numpy.roll(weights, -1)
    centre = (smooth.argmax() + 0.5) / 36
    distance = numpy.abs((hue - centre + 0.5) % 1 - 0.5)
    mask = vivid * (distance < 0.1)
    chosen = mask > 0.5
    shade = numpy.median(value[chosen]), numpy.median(saturation[chosen])
    return mask, colour_name(centre, shade[1], shade[0])


def colour_name(hue, saturation, value):
    if 0.04 < hue < 0.12 and value < 0.75:
        return "brown"
    if (hue > 0.88 or hue < 0.03) and saturation < 0.5:
        return "pink"
    edges = [(0.04, "red"), (0.11, "orange"), (0.18, "yellow"), (0.47, "green"), (0.7, "blue"),
             (0.83, "purple"), (0.94, "pink"), (1.01, "red")]
    return next(name for edge, name in edges if hue < edge)


def recoloured(picture, colour):
    """The picture with its main part in another colour, light and shade kept."""
    mask, own = main_part(picture)
    hue, saturation, value = hue_saturation_value(picture[..., :3])
    target, least, brightness = COLOURS[colour]
    middle = max(0.2, float(numpy.median(value[mask > 0.5])) if (mask > 0.5).any() else 0.5)
    level = 0.85 if own == "grey" else 0.9
    new_value = numpy.clip(value / middle * level * brightness, 0, 1)
    if least == 0:
        new_saturation = numpy.zeros_like(saturation)
    else:
        typical = max(0.2, float(numpy.median(saturation[mask > 0.5]))) if own != "grey" else 1.0
        relative = saturation / typical if own != "grey" else numpy.ones_like(saturation)
        new_saturation = numpy.clip(least * relative, 0, 1)
    changed = rgb(numpy.full_like(hue, target), new_saturation, new_value)
    result = picture.copy()
    result[..., :3] = numpy.where((mask > 0.3)[..., None], changed, picture[..., :3])
    return result
