"""What people may write to get a picture."""

import re

from emoji import number
from pictures import BACKGROUNDS, COLOURS

# Everyday words for Unicode's names: what is drawn, not what it means.
SYNONYMS = {
    "automobile": ["car"], "oncoming automobile": ["car from the front"],
    "sport utility vehicle": ["jeep", "SUV"], "pickup truck": ["pickup"],
    "delivery truck": ["truck", "lorry"], "articulated lorry": ["big truck"],
    "locomotive": ["steam train"], "high-speed train": ["fast train"], "bus": ["school bus", "coach"],
    "police car": ["cop car"], "fire engine": ["fire truck"], "airplane": ["plane", "aeroplane"],
    "sailboat": ["sailing boat", "boat"], "speedboat": ["motorboat"], "bicycle": ["bike"],
    "motorcycle": ["motorbike"], "racing car": ["race car", "formula one car"],
    "helicopter": ["chopper"], "flying saucer": ["UFO", "alien spaceship"],
    "pizza": ["slice of pizza", "piece of pizza"], "hamburger": ["burger", "cheeseburger"],
    "french fries": ["chips", "fries"], "hot beverage": ["cup of coffee", "cup of hot coffee", "coffee"],
    "teacup without handle": ["cup of green tea", "tea"], "glass of milk": ["milk"],
    "beer mug": ["glass of beer", "beer"], "wine glass": ["glass of red wine", "wine"],
    "birthday cake": ["cake with candles"], "shortcake": ["slice of cake", "piece of cake"],
    "soft ice cream": ["ice cream cone"], "ice cream": ["bowl of ice cream"],
    "cooked rice": ["bowl of rice"], "spaghetti": ["plate of pasta"], "bread": ["loaf of bread"],
    "cheese wedge": ["piece of cheese", "cheese"], "watermelon": ["slice of watermelon"],
    "ear of corn": ["corn"], "grapes": ["bunch of grapes"], "cut of meat": ["steak"],
    "poultry leg": ["chicken leg"], "cooking": ["fried egg in a pan", "fried egg"],
    "doughnut": ["donut"], "lollipop": ["candy on a stick"], "cherries": ["two red cherries"],
    "dog face": ["puppy", "face of a dog"], "cat face": ["kitten", "face of a cat"],
    "mouse face": ["face of a mouse"], "cow face": ["face of a cow"], "pig face": ["face of a pig"],
    "monkey face": ["face of a monkey"], "tiger face": ["face of a tiger"],
    "rabbit face": ["bunny", "face of a rabbit"], "horse face": ["face of a horse"],
    "honeybee": ["bee"], "lady beetle": ["ladybug", "ladybird"], "hatching chick": ["chick in an egg"],
    "baby chick": ["chick", "little yellow bird"], "spouting whale": ["whale"],
    "tropical fish": ["colourful fish"], "bouquet": ["bunch of flowers", "flowers"],
    "cherry blossom": ["pink flower"], "rose": ["red rose"], "evergreen tree": ["pine tree", "fir"],
    "deciduous tree": ["tree", "green tree"], "palm tree": ["palm"],
    "four leaf clover": ["lucky clover"], "fallen leaf": ["brown leaf"],
    "sun": ["bright sun"], "crescent moon": ["moon"], "star": ["yellow star"], "cloud": ["white cloud"],
    "snowman": ["snowman in the snow"], "house": ["home", "small house"],
    "castle": ["fairytale castle"], "night with stars": ["city at night"],
    "wrapped gift": ["present", "gift box"], "soccer ball": ["football"], "basketball": ["orange ball"],
    "american football": ["rugby ball"], "tennis": ["tennis ball and racket"],
    "video game": ["game controller"], "teddy bear": ["stuffed bear"], "crown": ["king's crown"],
    "glasses": ["eyeglasses", "spectacles"], "t-shirt": ["shirt", "tee"], "jeans": ["trousers", "pants"],
    "running shoe": ["sneaker"], "high-heeled shoe": ["red high heel"], "top hat": ["magician's hat"],
    "billed cap": ["baseball cap", "cap"], "woman’s hat": ["straw hat"], "gem stone": ["diamond"],
    "laptop": ["notebook computer", "computer"], "desktop computer": ["computer screen"],
    "mobile phone": ["smartphone", "phone"], "telephone": ["red telephone", "old phone"],
    "light bulb": ["bulb", "lamp"], "open book": ["book lying open"], "closed book": ["book"],
    "envelope": ["letter"], "pencil": ["yellow pencil"], "scissors": ["pair of scissors"],
    "locked": ["padlock", "lock"], "money bag": ["bag of money"], "magnifying glass tilted left": ["magnifier"],
    "alarm clock": ["clock"], "hammer": ["tool for nails"], "umbrella": ["open umbrella"],
    "crystal ball": ["fortune teller's ball"], "jack-o-lantern": ["halloween pumpkin", "pumpkin"],
    "christmas tree": ["decorated tree"], "fire": ["flame"], "droplet": ["drop of water"],
    "high voltage": ["lightning bolt"], "snowflake": ["flake of snow"],
    "grinning face": ["happy yellow face", "happy face"], "slightly smiling face": ["smiley", "smile"],
    "grinning face with big eyes": ["very happy face"], "face with tears of joy": ["laughing face"],
    "rolling on the floor laughing": ["face laughing hard"],
    "smiling face with sunglasses": ["happy yellow face with sunglasses", "cool face with sunglasses"],
    "smiling face with heart-eyes": ["face in love", "face with hearts for eyes"],
    "face blowing a kiss": ["kissing face with a heart"], "winking face": ["face that winks"],
    "crying face": ["sad face with a tear", "very sad face with tears"],
    "loudly crying face": ["face crying a river"], "pouting face": ["angry red face"],
    "angry face": ["mad face"], "sleeping face": ["face asleep", "tired sleeping face"],
    "face with medical mask": ["sick face with a mask"], "nerd face": ["face with glasses"],
    "face screaming in fear": ["scared face"], "pile of poo": ["poop"], "skull": ["white skull"],
    "ghost": ["white ghost"], "alien": ["grey alien"], "robot": ["robot head"],
    "frowning face": ["sad face"], "disappointed face": ["sad yellow face"], "neutral face": ["bored face"],
    "cowboy hat face": ["cowboy", "face with a cowboy hat"], "partying face": ["party face with a hat"],
    "smiling face with horns": ["purple devil"], "clown face": ["clown"],
    "thumbs up": ["thumb up", "like"], "thumbs down": ["thumb down", "dislike"],
    "waving hand": ["hand waving hello"], "clapping hands": ["applause"], "flexed biceps": ["strong arm"],
    "folded hands": ["praying hands"], "raised fist": ["fist"], "victory hand": ["peace sign"],
    "health worker": ["doctor"], "cook": ["chef"], "technologist": ["programmer with a laptop"],
    "office worker": ["business person"], "factory worker": ["welder"], "artist": ["painter"],
    "judge": ["judge with a hammer"], "police officer": ["cop"], "firefighter": ["fire fighter"],
    "astronaut": ["spaceman"], "student": ["graduate"], "pilot": ["plane captain"],
    "guard": ["royal guard"], "detective": ["spy"], "mage": ["wizard"], "merperson": ["mermaid"],
    "princess": ["girl with a crown"], "prince": ["boy with a crown"], "santa claus": ["Father Christmas"],
    "surfing": ["surfer"], "running": ["runner"], "biking": ["cyclist"], "swimming": ["swimmer"],
    "blond hair": ["blond-haired person"], "globe showing Europe-Africa": ["planet earth", "the earth"],
    "ringed planet": ["saturn", "planet with a ring"], "volcano": ["erupting volcano"],
    "bed": ["bed to sleep in"], "chair": ["wooden chair"], "couch and lamp": ["sofa"], "door": ["wooden door"],
    "key": ["golden key"], "bell": ["golden bell"], "trophy": ["gold cup"], "drum": ["drum with sticks"],
    "microphone": ["singer's microphone"], "headphone": ["headphones"], "camera": ["photo camera"],
    "television": ["TV", "old TV set"], "knife": ["kitchen knife"], "bomb": ["black bomb"],
}


def article(text):
    if text.endswith("s") and not text.endswith("ss") or text.startswith(("flag of", "family", "keycap")):
        return text
    return ("an " if text[0].lower() in "aeiou" else "a ") + text


def natural(emoji):
    """The name as a person would say it: `man astronaut with dark skin tone`, `flag of Japan`."""
    base, colon, rest = emoji.name.partition(": ")
    if not colon:
        return base
    parts = rest.split(", ")
    if base == "flag":
        return "flag of " + rest
    if base == "keycap":
        return "keycap " + rest
    others = [p for p in parts if not p.endswith(" skin tone")]
    tones = [p for p in parts if p.endswith(" skin tone")]
    text = base
    if base == "family" and others:
        text = "family with " + listed(others)
        others = []
    elif base in ("kiss", "couple with heart") and others:
        text += " of " + listed(others)
        others = []
    extra = tones + others
    return text + (" with " + listed(extra) if extra else "")


def listed(parts):
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


def synonyms(emoji):
    """Other words for the same thing, gender and skin tone included."""
    names = SYNONYMS.get(emoji.name.partition(": ")[0], []) or SYNONYMS.get(emoji.concept, [])
    if emoji.group != "People & Body":
        return names
    tone = f" with {emoji.tones[0]} skin" if len(emoji.tones) == 1 else ""
    who = "" if emoji.gender == "person" else emoji.gender + " "
    return [who + name + tone for name in names] if len(emoji.tones) < 2 else []


def short(name):
    """A name without its colour word: `red apple` is an apple."""
    return re.sub(r"^(" + "|".join(COLOURS) + r"|white) ", "", name)


def for_picture(emoji):
    """Captions of a picture, each with the colour of its background or None for white."""
    name, plain = emoji.name.replace(":", ""), natural(emoji)
    others = synonyms(emoji)
    words = [w for w in emoji.keywords if w != emoji.name]
    texts = [name, plain, article(plain), "an icon of " + article(plain)]
    texts += [plain.replace(" skin tone", " skin")] if emoji.tones else []
    texts += [name + ", " + ", ".join(words[:4])] if words else []
    if len(words) > 1:
        texts.append(" ".join(words[:4]))
    for other in others:
        texts += [other, article(other)]
    captions = [(text, None) for text in dict.fromkeys(texts)]
    colours = list(BACKGROUNDS)
    start = number(emoji.name)
    forms = [plain, article(plain), article((others + [plain])[0])]
    for k, form in enumerate(forms):
        colour = colours[(start + 4 * k) % len(colours)]
        captions.append((f"{form} on {article(colour)} background", colour))
    return captions


def for_colour(emoji, colour):
    """Captions of a recoloured picture."""
    names = [short(emoji.name)] + [short(s) for s in synonyms(emoji)][:2]
    texts = []
    for name in names:
        texts += [f"{colour} {name}", article(f"{colour} {name}")]
    texts.append(f"{article(names[-1])} that is {colour}")
    captions = [(text, None) for text in dict.fromkeys(texts)]
    colours = [c for c in BACKGROUNDS if c != colour and not (c == "black" and colour == "black")]
    background = colours[number(emoji.name + colour) % len(colours)]
    captions.append((f"{article(f'{colour} {names[0]}')} on {article(background)} background", background))
    return captions
