"""The list of emoji with everything that is known about each: Unicode's names, CLDR's keywords."""

import collections
import re
import xml.etree.ElementTree
import zlib
from dataclasses import dataclass, field

LIST = "/usr/share/unicode/emoji/emoji-test.txt"
ANNOTATIONS = [
    "/usr/share/unicode/cldr/common/annotations/en.xml",
    "/usr/share/unicode/cldr/common/annotationsDerived/en.xml",
]
TONES = ["light", "medium-light", "medium", "medium-dark", "dark"]
GENDERS = ["person", "man", "woman"]


def number(text):
    """A number that depends on the text alone, whatever the Python."""
    return zlib.crc32(text.encode())


@dataclass
class Emoji:
    """One fully-qualified sequence."""

    text: str
    name: str
    group: str
    subgroup: str
    concept: str = ""
    gender: str = "person"
    tones: list = field(default_factory=list)
    details: list = field(default_factory=list)
    keywords: list = field(default_factory=list)
    held_out: bool = False
    weight: float = 1.0

    @property
    def file(self):
        """The name of its picture: its code points."""
        return "-".join(f"{ord(c):x}" for c in self.text) + ".png"


def read():
    """All fully-qualified emoji, in Unicode's order, with keywords, concepts, held-out marks, weights."""
    keywords = annotations()
    found, group, subgroup = [], "", ""
    for line in open(LIST, encoding="utf-8"):
        if line.startswith("# group:"):
            group = line.split(":", 1)[1].strip()
        elif line.startswith("# subgroup:"):
            subgroup = line.split(":", 1)[1].strip()
        elif "; fully-qualified" in line:
            text, name = re.search(r"# (\S+) E[\d.]+ (.*)", line).groups()
            emoji = Emoji(text, name.strip(), group, subgroup)
            emoji.keywords = keywords.get(text, keywords.get(text.replace("\ufe0f", ""), []))
            describe(emoji)
            found.append(emoji)
    hold_out(found)
    weigh(found)
    return found


def annotations():
    result = {}
    for file in ANNOTATIONS:
        for node in xml.etree.ElementTree.parse(file).getroot().iter("annotation"):
            if node.get("type") != "tts":
                result[node.get("cp")] = [word.strip() for word in node.text.split("|")]
    return result


def describe(emoji):
    """Splits the name into concept, gender, skin tones and details such as hair."""
    base, _, rest = emoji.name.partition(": ")
    parts = [part.strip() for part in rest.split(",")] if rest else []
    emoji.tones = [p[: -len(" skin tone")] for p in parts if p.endswith(" skin tone")]
    others = [p for p in parts if not p.endswith(" skin tone")]
    if emoji.group != "People & Body":
        emoji.concept, emoji.details = emoji.name, others
        return
    if base in ("family", "kiss", "couple with heart"):
        emoji.concept, emoji.details = base, others
        return
    words = base.split(" ")
    for gender, names in (("woman", ("woman", "women")), ("man", ("man", "men"))):
        if words[0] in names or words[-1] in names or (len(words) > 1 and words[1] in names):
            emoji.gender = gender
    kept = [w for w in words if w not in ("man", "woman", "men", "women", "person", "people")]
    emoji.concept = " ".join(kept + others) or "person"
    emoji.details = others


def hold_out(emoji):
    """Marks about 8 % of the combinations of concept, gender and tone, never to be trained on.

    A Latin square: in each concept with two genders or more and all five tones, one tone of each gender,
    a different one for each, so that every concept, gender and tone is still seen. Also one tone of every
    second concept without genders, and one in seven of the pairs with two tones.
    """
    concepts = collections.defaultdict(lambda: collections.defaultdict(dict))
    for item in emoji:
        if len(item.tones) == 1:
            concepts[item.concept][item.gender][item.tones[0]] = item
        elif len(item.tones) == 2:
            item.held_out = number(item.name) % 7 == 0
    for concept, genders in concepts.items():
        full = [g for g in GENDERS if len(genders.get(g, {})) == len(TONES)]
        start = number(concept)
        if len(full) >= 2:
            for place, gender in enumerate(full):
                genders[gender][TONES[(start + 2 * place) % 5]].held_out = True
        elif len(full) == 1 and start // 5 % 2 == 0:
            genders[full[0]][TONES[start % 5]].held_out = True


def weigh(emoji):
    """How often each is drawn: many variants of a concept share, and signs give way to things."""
    count = collections.Counter(item.concept for item in emoji)
    for item in emoji:
        item.weight = count[item.concept] ** -0.65
        if item.group == "Flags":
            item.weight *= 0.3
        elif item.subgroup in ("time", "keycap", "alphanum", "arrow", "zodiac", "av-symbol"):
            item.weight *= 0.5
