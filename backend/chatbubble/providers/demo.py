"""A provider without a key: it answers from memory about a shop that does not exist.

It shows the whole widget at work (streaming, stopping, every Markdown element, English
and Chinese) and never pretends to know more than it does.
"""

from __future__ import annotations

import random
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..events import Sources, Suggestions
from ..provider import Piece
from ..records import Finish, Prompt
from .demo_additions import SHOP, sources_of, suggestions_of
from .demo_chinese import CHINESE
from .demo_english import ENGLISH
from .demo_topics import SMALL_TALK, TOPICS, Topic

ANSWERS = {"en": ENGLISH, "zh": CHINESE}
"""Language -> topic name -> Markdown."""

FALLBACK = "fallback"
"""The answer that says plainly: this is a demo, and it does not know."""

_STRONG, _WEAK, _THRESHOLD = 3, 1, 3
_SMALL_TALK_WORDS = 6  # "Hi, do you have ... and could you also ..." deserves better than a greeting

_WORD = re.compile(r"[a-z0-9\u00c0-\u024f]+")
_APOSTROPHE = re.compile("['\u2018\u2019]")
_PUNCTUATION = re.compile(r"[\s!-/:-@\[-`{-~\u2000-\u200a\u2010-\u206f\u3000-\u303f]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]+(?=[/?#]|$)", re.IGNORECASE)
_KANA = re.compile(r"[\u3040-\u30ff]")

# What a reader sees as one character (UAX #29, as far as the answers need it): a pair of
# regional indicators is a flag, and marks, skin tones and joined emoji stay with their base.
_EXTEND = r"[\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
_FLAG = r"[\U0001f1e6-\U0001f1ff]{2}"
_WIDE = r"[\u2e80-\ua4cf\uf900-\ufaff\uff00-\uffef]"
_GRAPHEME = rf"(?:{_FLAG}|(?!{_WIDE})\S){_EXTEND}(?:\u200d\S{_EXTEND})*"
_PIECE = re.compile(rf"\s*(?:{_WIDE}{_EXTEND}){{1,2}}|\s*(?:{_GRAPHEME}){{1,8}}|\s+")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast an answer comes, in seconds: before the first piece, then between pieces."""

    first_s: float = 0.25
    shortest_s: float = 1 / 60
    longest_s: float = 1 / 25


NATURAL = Pace()
INSTANT = Pace(0.0, 0.0, 0.0)


class DemoProvider:
    """Answers about the demo shop at a natural pace. Needs no key and no network.

    `pace` and `sleep` (seconds) are for tests; the same `seed` gives the same rhythm.
    """

    name = "demo"
    model = "demo"

    def __init__(self, *, pace: Pace = NATURAL, sleep: Callable[[float], None] | None = None, seed: int = 0) -> None:
        self._pace = pace
        self._sleep = sleep or _sleep
        self._seed = seed

    def stream(self, prompt: Prompt) -> Iterator[Piece]:
        """Yield the answer to the newest question in pieces of a few characters, then the pages it
        rests on, what may be asked next, and a `Finish`."""
        rhythm = random.Random(self._seed)
        delay_s = self._pace.first_s
        for piece in split(answer(prompt)):
            if delay_s:
                self._sleep(delay_s)
            yield piece
            delay_s = rhythm.uniform(self._pace.shortest_s, self._pace.longest_s)
        yield from additions(prompt)
        yield Finish()


def additions(prompt: Prompt) -> Iterator[Piece]:
    """What the answer to the prompt's question has beside its text, in the language of that."""
    topic, language = find_topic(prompt.question) or FALLBACK, _language(prompt)
    sources = sources_of(topic, language, _origin(prompt) or SHOP)
    if sources:
        yield Sources(sources)
    suggestions = suggestions_of(topic, language)
    if suggestions:
        yield Suggestions(suggestions)


def answer(prompt: Prompt) -> str:
    """The whole answer (Markdown) to the prompt's question, in Chinese or English.

    Links to the shop's pages start with the origin of the page that asks: where that is
    not known they stay relative, which a careful reader of answers does not follow.
    """
    text = ANSWERS[_language(prompt)][find_topic(prompt.question) or FALLBACK]
    origin = _origin(prompt)
    return text.replace("](/", f"]({origin}/") if origin else text


def find_topic(question: str) -> str | None:
    """The name of the topic that fits `question` best, or None when none really does.

    Case, width (ＡＢＣ), apostrophes, punctuation and spaces between signs make no difference.
    """
    text = _APOSTROPHE.sub("", unicodedata.normalize("NFKC", question).casefold())
    words, signs = f" {' '.join(_WORD.findall(text))} ", _PUNCTUATION.sub("", text)
    name = _best(TOPICS, words, signs)
    is_short = len(words.split()) + len(_HAN.findall(signs)) <= _SMALL_TALK_WORDS
    return name if name or not is_short else _best(SMALL_TALK, words, signs)


def split(text: str) -> list[str]:
    """`text` as the pieces a model might send: a word with the space before it, or one or two
    Chinese characters. No piece ends inside what a reader sees as one character."""
    return _PIECE.findall(text)


def _best(topics: Iterable[Topic], words: str, signs: str) -> str | None:
    scores = [(_score(topic, words, signs), topic.name) for topic in topics]
    score, name = max(scores, key=lambda scored: scored[0])
    return name if score >= _THRESHOLD else None


def _score(topic: Topic, words: str, signs: str) -> int:
    weighted = ((_STRONG, topic.strong), (_WEAK, topic.weak))
    return sum(
        weight
        for weight, keywords in weighted
        for keyword in keywords.split(",")
        if keyword and _occurs(keyword.strip(), words, signs)
    )


def _occurs(keyword: str, words: str, signs: str) -> bool:
    if not keyword.isascii():
        return keyword in signs
    return f" {keyword[:-1]}" in words if keyword.endswith("*") else f" {keyword} " in words


def _language(prompt: Prompt) -> str:
    """The language of the question; of the page, when the question has no letters (👋)."""
    question = prompt.question
    if _HAN.search(question) and not _KANA.search(question):
        return "zh"
    has_letters = any(char.isalpha() for char in question)
    return "zh" if not has_letters and prompt.locale.lower().startswith("zh") else "en"


def _origin(prompt: Prompt) -> str:
    """Where the page that asks is from, or nothing."""
    origin = _ORIGIN.match(prompt.page.url) if prompt.page else None
    return origin[0] if origin else ""


def _sleep(seconds: float) -> None:
    # Looked up at each call: gevent may patch the module after this one was imported.
    time.sleep(seconds)
