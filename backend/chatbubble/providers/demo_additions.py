"""What the demo's answers have beside their text: the shop's pages they rest on, and what to ask next."""

from __future__ import annotations

from ..records import Source

SHOP = "https://larkmoor.example"
"""Where the shop's pages are, as long as nobody knows better."""

# Language -> topic -> (title, path, snippet), in the order of the [1] and [2] in the answer's text.
_SOURCES = {
    "en": {
        "returns": (
            ("Returns", "/delivery#returns",
             "You have 60 days to send anything back, unworn and with its labels on."),
            ("Repairs", "/delivery#repairs",
             "If we made it, we mend it, however old it is."),
        ),
        "shipping": (
            ("Delivery", "/delivery#delivery",
             "Standard delivery is free over £75 in the UK and over £150 in Ireland and the EU."),
            ("Asked often", "/delivery#questions",
             "Do you deliver to islands and military addresses? Yes, at the same price."),
        ),
    },
    "zh": {
        "returns": (
            ("退货", "/delivery#returns", "收到商品后 60 天内，未穿着、吊牌完好，都可以退换。"),
            ("维修", "/delivery#repairs", "我们做的，我们就修，不论多旧。"),
        ),
        "shipping": (
            ("配送", "/delivery#delivery", "英国境内满 £75 免运费，爱尔兰与欧盟满 £150 免运费。"),
            ("常见问题", "/delivery#questions", "海岛和军队地址也能送吗？能，价格一样。"),
        ),
    },
}  # fmt: skip

# Language -> topic -> how one asks for it.
_QUESTIONS = {
    "en": {
        "hours": "When are you open?",
        "returns": "How do I return something?",
        "shipping": "What does delivery cost?",
        "order": "Where is my order?",
        "care": "How do I wash my jacket?",
        "repairs": "Do you repair old jackets?",
        "sizes": "Which size fits me?",
        "payment": "How can I pay?",
        "embed": "How do I put this on my website?",
        "formatting": "What Markdown can you show?",
        "demo": "Are you a robot?",
        "story": "Tell me a long story",
        "packing": "What should I pack for a wet day?",
        "contact": "How can I contact you?",
        "products": "What do you sell?",
    },
    "zh": {
        "hours": "你们几点开门？",
        "returns": "怎么退货？",
        "shipping": "运费多少钱？",
        "order": "我的订单到哪了？",
        "care": "雨衣怎么洗？",
        "repairs": "旧外套可以维修吗？",
        "sizes": "穿多大码合适？",
        "payment": "怎么付款？",
        "embed": "怎么嵌入我的网站？",
        "formatting": "可以用什么格式？",
        "demo": "你是机器人吗？",
        "story": "讲个故事",
        "packing": "下雨天徒步带什么？",
        "contact": "怎么联系你们？",
        "products": "你们卖什么？",
    },
}

# Topic -> what those who asked for it may want to know next.
_NEXT = {
    "hours": ("contact", "products", "shipping"),
    "returns": ("sizes", "shipping", "repairs"),
    "shipping": ("returns", "payment", "order"),
    "order": ("shipping", "contact"),
    "care": ("repairs", "products"),
    "repairs": ("care", "contact"),
    "sizes": ("returns", "products"),
    "payment": ("shipping", "returns"),
    "gifts": ("payment", "returns"),
    "discount": ("products", "payment"),
    "embed": ("formatting", "demo"),
    "demo": ("embed", "story"),
    "formatting": ("embed", "story"),
    "story": ("products", "hours"),
    "packing": ("products", "care"),
    "contact": ("hours", "returns"),
    "products": ("sizes", "shipping", "packing"),
    "greeting": ("hours", "shipping", "packing", "embed"),
    "fallback": ("hours", "returns", "packing"),
}


def sources_of(topic: str, language: str, shop: str) -> list[Source]:
    """The pages that an answer rests on. `shop` is the origin that they are under."""
    return [Source(title, shop + path, snippet) for title, path, snippet in _SOURCES[language].get(topic, ())]


def suggestions_of(topic: str, language: str) -> list[str]:
    """What may be asked after an answer; nothing after a farewell."""
    return [_QUESTIONS[language][name] for name in _NEXT.get(topic, ())]
