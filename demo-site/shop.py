"""All there is to know about Larkmoor, the pretend shop. The pages are built from this."""

from __future__ import annotations

from dataclasses import dataclass

EMAIL = "hello@larkmoor.example"
PHONE = "01632 960 148"
PHONE_LINK = "+441632960148"

CLOTHING_SIZES = ("XS", "S", "M", "L", "XL", "XXL")
BOOT_SIZES = tuple(str(size) for size in range(36, 47))

NAVIGATION = (
    ("/shop", "Shop", "商店"),
    ("/size-guide", "Size guide", "尺码表"),
    ("/delivery", "Delivery", "配送与退货"),
    ("/about", "About", "关于"),
)

# Of the playground: a language's tag, and its name in it.
LANGUAGES = (
    ("en", "English"),
    ("zh-CN", "简体中文"),
)

HOURS = (
    ("Monday", "周一", "closed", "休息"),
    ("Tuesday to Friday", "周二至周五", "10:00–18:00", "10:00–18:00"),
    ("Saturday", "周六", "9:00–17:30", "9:00–17:30"),
    ("Sunday", "周日", "11:00–16:00", "11:00–16:00"),
)

SHIPPING = (
    ("United Kingdom", "英国", "2–3 working days", "2–3 个工作日", "£3.95"),
    ("United Kingdom, next day", "英国次日达", "ordered before 14:00", "14:00 前下单", "£6.95"),
    ("Ireland & EU", "爱尔兰与欧盟", "4–6 working days", "4–6 个工作日", "£9.50"),
    ("USA & Canada", "美国与加拿大", "6–9 working days", "6–9 个工作日", "£14.00"),
    ("Rest of the world", "世界其他地区（含中国）", "8–12 working days", "8–12 个工作日", "£18.00"),
)

CLOTHING_CM = (
    ("XS", "84–89", "68–73", "80"),
    ("S", "90–95", "74–79", "82"),
    ("M", "96–101", "80–85", "84"),
    ("L", "102–108", "86–92", "86"),
    ("XL", "109–116", "93–100", "88"),
    ("XXL", "117–124", "101–108", "90"),
)

BOOTS = (
    ("36", "3.5", "5", "22.5"),
    ("37", "4", "5.5", "23.2"),
    ("38", "5", "6.5", "23.8"),
    ("39", "5.5", "7", "24.5"),
    ("40", "6.5", "8", "25.2"),
    ("41", "7.5", "9", "25.8"),
    ("42", "8", "9.5", "26.5"),
    ("43", "9", "10.5", "27.2"),
    ("44", "9.5", "11", "27.8"),
    ("45", "10.5", "12", "28.5"),
    ("46", "11", "12.5", "29.2"),
)

QUESTIONS = (
    "What does shipping to Germany cost?",
    "Which size fits me?",
    "What should I pack for a wet day?",
    "Tell me a long story",
    "Show me everything you can format",
    "你们几点开门？",
)


@dataclass(frozen=True, slots=True)
class Product:
    """One thing the shop makes. `picture` describes its drawing for those who do not see it."""

    slug: str
    name: str
    kind: str
    price: str
    line: str
    picture: str
    text: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sizes: tuple[str, ...] = ()


PRODUCTS = (
    Product(
        "drumlin-rain-jacket",
        "Drumlin",
        "rain jacket",
        "£149",
        "Three layers, taped seams, and a hood that turns with you.",
        "A moss-green rain jacket with a hood and a yellow zip",
        (
            "The one we are known for: long enough to sit on a wet wall in, light enough to forget in a bag.",
            "Every panel can be replaced, one at a time, and over the years some people have replaced them all.",
            "The hood fits over a hat and follows your head. The cuffs close over gloves. The zip runs both ways.",
        ),
        (
            ("Fabric", "Three-layer recycled nylon, 20,000 mm"),
            ("Weight", "410 g in size M"),
            ("Made in", "Hathersby, in our own workshop"),
            ("Care", "30 °C, liquid soap, no softener"),
        ),
        CLOTHING_SIZES,
    ),
    Product(
        "corrie-wool-jumper",
        "Corrie",
        "wool jumper",
        "£84",
        "Hill-sheep wool with a yoke that took eleven tries.",
        "A rust-coloured wool jumper with a patterned yoke",
        (
            "Warm when it is wet, quiet in the pub, and better in its fifth winter than in its first.",
            "The yoke is knitted in the round, so there is no seam under a rucksack strap.",
        ),
        (
            ("Wool", "Undyed and plant-dyed Swaledale"),
            ("Weight", "560 g in size M"),
            ("Made in", "Hathersby, on two old machines"),
            ("Care", "Air it; cold hand wash; dry flat"),
        ),
        CLOTHING_SIZES,
    ),
    Product(
        "fell-walking-boots",
        "Fell",
        "walking boots",
        "£165",
        "One piece of leather, one row of stitches, many soles.",
        "A pair of brown leather walking boots with red laces",
        (
            "Built on Mr Tarrant's lasts from a single piece of leather, with hardly a seam for water to find.",
            "They take two weeks to know your feet, and then they remember. New soles are £45, as often as you like.",
        ),
        (
            ("Upper", "2.6 mm oiled leather"),
            ("Sole", "Stitched, replaceable"),
            ("Weight", "640 g each in size 42"),
            ("Care", "Brush, wax, never the stove"),
        ),
        BOOT_SIZES,
    ),
    Product(
        "cairn-daypack",
        "Cairn",
        "daypack",
        "£95",
        "Twenty-two litres and not one strap too many.",
        "A mustard-yellow daypack with brown leather straps",
        (
            "Waxed canvas that turns rain away and gathers scratches like a good table.",
            "One big room, one pocket for the map, one for the keys. The back panel comes out as a dry seat.",
        ),
        (
            ("Holds", "22 litres"),
            ("Fabric", "Waxed organic canvas"),
            ("Weight", "890 g"),
            ("Care", "Sponge it down, wax it once a year"),
        ),
    ),
    Product(
        "tarn-flask",
        "Tarn",
        "flask",
        "£28",
        "Hot until the summit, and on the way down too.",
        "A lake-blue steel flask with a drawing of a mountain",
        (
            "Double-walled steel, 750 ml, with a cap that is a cup.",
            "It stays hot for fourteen hours. We tested it on a man who forgets his tea.",
        ),
        (
            ("Holds", "750 ml"),
            ("Keeps", "14 hours hot, 24 hours cold"),
            ("Weight", "390 g"),
            ("Care", "Bottle brush; new seals are free"),
        ),
    ),
    Product(
        "bothy-mug",
        "Bothy",
        "mug",
        "£14",
        "Enamel. It chips, and looks better for it.",
        "A white enamel mug with a blue rim and a line of hills, steaming",
        (
            "For the stove, the fire and the windowsill. The hills on it are the ones behind the shop.",
            "We once ordered two and got two hundred. You are looking at the tenth batch since.",
        ),
        (
            ("Holds", "350 ml"),
            ("Made of", "Steel, enamelled twice"),
            ("Weight", "140 g"),
            ("Care", "Anything but a microwave"),
        ),
    ),
    Product(
        "peat-socks",
        "Peat",
        "socks",
        "£18",
        "Thick where boots rub, thin where they do not.",
        "A pair of heather-coloured wool socks with cream heels and toes",
        (
            "Merino and a little nylon, looped inside at heel and toe, with a cuff that stays up and leaves no mark.",
            "If you wear a hole into them within a year, send it to us. We like to know how you did it.",
        ),
        (
            ("Wool", "72 % merino, 26 % nylon, 2 % elastane"),
            ("Sizes", "36–38, 39–41, 42–44, 45–47"),
            ("Weight", "85 g the pair"),
            ("Care", "40 °C, inside out"),
        ),
    ),
    Product(
        "ember-lantern",
        "Ember",
        "lantern",
        "£42",
        "A small warm light for tents and power cuts.",
        "A brass lantern that glows at dusk",
        (
            "Candle-coloured light for sixty hours, and no flame that could find your sleeping bag.",
            "It charges from any USB-C plug or, slowly, from the sun on its lid.",
        ),
        (
            ("Light", "5 to 180 lumens, 2200 K"),
            ("Lasts", "60 hours low, 7 hours high"),
            ("Weight", "260 g"),
            ("Care", "The battery is held by two screws"),
        ),
    ),
)

BY_SLUG = {product.slug: product for product in PRODUCTS}
