"""Builds the data set: pictures/*.png and the indexes that `ito train` reads.

    build.py FOLDER

`train.jsonl` holds what is trained on: every emoji but the held-out combinations, and recoloured things.
`heldout.jsonl` holds those combinations, `all.jsonl` every real emoji: what generated pictures are judged
by; `names.jsonl` the same with two captions each, which is quicker to train a judge on, and `untoned.jsonl`
what of it has no skin tone and is trained on. A record has the picture, its captions with the backgrounds they speak of, how often it is drawn, and
what Unicode says of it.
"""

import json
import os
import sys

from PIL import Image

import captions
import emoji
import pictures

RECOLOURED_GROUPS = {"Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects"}
UNCOLOURED_SUBGROUPS = {"time", "sky & weather", "place-map", "hotel", "place-geographic", "money"}
COLOURS_EACH = 4
# All recoloured pictures of a thing together, as a share of the thing itself.
COLOURED_SHARE = 0.4
NOTICE = """The pictures are glyphs of Noto Color Emoji, copyright Google Inc., SIL Open Font License 1.1
(/usr/share/doc/fonts-noto-color-emoji/copyright), some of them recoloured; this is not Noto Color Emoji.
Names and keywords are from the Unicode Character Database and CLDR, copyright Unicode, Inc., Unicode
License (/usr/share/doc/unicode-data/copyright, /usr/share/doc/unicode-cldr-core/copyright).
"""


def record(item, file, lines, weight, colour=None):
    texts = [
        {"text": text, "background": "#%02x%02x%02x" % pictures.BACKGROUNDS[background]}
        if background else text
        for text, background in lines
    ]
    result = {"file_name": "pictures/" + file, "texts": texts, "weight": round(weight, 5)}
    result |= {
        "emoji": item.text, "name": item.name, "group": item.group, "subgroup": item.subgroup,
        "concept": item.concept, "gender": item.gender, "tones": item.tones,
        "keywords": item.keywords, "held_out": item.held_out,
    }
    return result | ({"colour": colour} if colour else {})


def write(path, records):
    with open(path + ".part", "w", encoding="utf-8") as file:
        for line in records:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    os.replace(path + ".part", path)


def main():
    folder = sys.argv[1]
    os.makedirs(folder + "/pictures", exist_ok=True)
    drawer = pictures.Drawer()
    found = emoji.read()
    everything, training = [], []
    for count, item in enumerate(found):
        picture = drawer.draw(item.text)
        Image.fromarray(picture).save(f"{folder}/pictures/{item.file}")
        own = record(item, item.file, captions.for_picture(item), item.weight)
        everything.append(own)
        if not item.held_out:
            training.append(own)
        if item.group in RECOLOURED_GROUPS and item.subgroup not in UNCOLOURED_SUBGROUPS:
            training += coloured(item, picture, folder)
        if count % 100 == 99 and sys.stderr.isatty():
            print(f"\r{count + 1} of {len(found)} emoji", end="", file=sys.stderr)
    write(folder + "/train.jsonl", training)
    write(folder + "/heldout.jsonl", [r for r in everything if r["held_out"]])
    write(folder + "/all.jsonl", everything)
    write(folder + "/names.jsonl", [r | {"texts": r["texts"][:2]} for r in everything])
    write(folder + "/untoned.jsonl", [
        r | {"texts": r["texts"][:2]} for r in everything if not r["tones"] and not r["held_out"]])
    with open(folder + "/LICENCES", "w", encoding="utf-8") as file:
        file.write(NOTICE)
    held_out = sum(r["held_out"] for r in everything)
    print(
        f"{folder}: {len(everything)} emoji, {held_out} of them held out ({held_out / len(everything):.1%}), "
        f"{len(training) - len(everything) + held_out} recoloured, "
        f"{len({t if isinstance(t, str) else t['text'] for r in training for t in r['texts']})} captions")


def coloured(item, picture, folder):
    """Records of the thing in other colours than its own."""
    mask, own = pictures.main_part(picture)
    if mask.sum() < 0.15 * (picture[..., 3] > 127).sum():
        return []
    colours = [c for c in pictures.COLOURS if c != own and not item.name.startswith(c + " ")]
    order = sorted(colours, key=lambda c: emoji.number(item.name + c))[:COLOURS_EACH]
    result = []
    for colour in order:
        file = item.file.replace(".png", f"-{colour}.png")
        Image.fromarray(pictures.recoloured(picture, colour)).save(f"{folder}/pictures/{file}")
        weight = COLOURED_SHARE / len(order)
        result.append(record(item, file, captions.for_colour(item, colour), weight, colour))
    return result


if __name__ == "__main__":
    main()
