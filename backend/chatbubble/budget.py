"""What answers cost, and what a day may cost. Pure.

Money is counted in whole millionths of the currency that the prices are in, and rounded up.

Before the model is asked nobody knows what an answer will cost, so its worst case is put aside: as many tokens as the
prompt has bytes, since no tokenizer makes more of them, and the longest answer that is asked for. The estimate of
`prompt.py` will not do here: who wants to be expensive writes what it counts too low.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .prompt import MOST_CHARS_PER_TOKEN
from .records import Prompt, Usage

MICRO = 1_000_000
LEVELS = (50, 80, 100)

# What a server may put around a message, and around all of them: roles, separators, words of its own.
_MESSAGE_TOKENS, _FRAME_TOKENS = 8, 64
# What a model may have said that had not arrived when its answer was stopped.
_UNHEARD_TOKENS = 64
_MOST_BYTES_PER_TOKEN = 4  # of text that the estimate of prompt.py takes for one token
_LARGEST = 10**15  # whatever a server claims, the column takes it


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens of the prompt and of the answer, in millionths of the currency."""

    prompt: int
    completion: int

    def of(self, prompt_tokens: int, completion_tokens: int) -> int:
        """What so many cost together."""
        cost = -(-(prompt_tokens * self.prompt + completion_tokens * self.completion) // MICRO)
        return min(cost, _LARGEST)


@dataclass(frozen=True, slots=True)
class Reservation:
    """The worst case of one call of the model, put aside. `day` is a date in UTC, like 2026-01-31."""

    reservation_id: str
    day: str
    amount: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a day has cost so far, and what is put aside for calls whose end is not known."""

    day: str
    spent: int = 0
    reserved: int = 0

    @property
    def total(self) -> int:
        """What is spent if all of them turn out as their worst case."""
        return self.spent + self.reserved


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one call of the model: its answer as far as it came, whether it has been seen thinking, and its
    own count of tokens, if it told one."""

    text: str
    has_thought: bool
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Budget:
    """What a day may cost at most, in millionths; what the model costs; how long an answer it is asked for."""

    cap: int
    price: Price
    max_tokens: int

    def worst_case(self, prompt: Prompt) -> int:
        """What an answer to `prompt` may cost."""
        return self.price.of(_most_tokens(prompt), self.max_tokens)

    def worst_case_of_any(self, context_tokens: int) -> int:
        """The same of any prompt within a context of so many estimated tokens."""
        return self.price.of(context_tokens * _MOST_BYTES_PER_TOKEN + _FRAME_TOKENS, self.max_tokens)

    def cost(self, prompt: Prompt, said: Said) -> int:
        """What a call has cost: by the server's own count, or else by what was asked and said, rather too much than
        too little, but never more than its worst case where the server kept to the length that it was asked for."""
        usage = said.usage
        # Some servers report nothing but zeros.
        if usage is not None and usage.prompt_tokens > 0 and usage.completion_tokens >= bool(said.text):
            return self.price.of(usage.prompt_tokens, usage.completion_tokens)
        tokens = len(said.text.encode("utf-8", "surrogatepass")) + _UNHEARD_TOKENS
        if len(said.text) < self.max_tokens * MOST_CHARS_PER_TOKEN:
            tokens = self.max_tokens if said.has_thought else min(tokens, self.max_tokens)
        return self.price.of(_most_tokens(prompt), tokens)

    def levels_of(self, amount: int) -> list[int]:
        """Which of LEVELS, in per cent of the cap, `amount` has reached."""
        return [level for level in LEVELS if amount >= self.amount_at(level)]

    def amount_at(self, level: int) -> int:
        """So many per cent of the cap; more than nothing."""
        return max(1, self.cap * level // 100)


def read_prices(entries: Sequence[str]) -> dict[str, Price]:
    """The price of each model, from entries like `model=0.15/0.60` as `parsing.prices` lets them through."""
    prices = {}
    for entry in entries:
        model, _, amounts = entry.rpartition("=")
        prompt, _, completion = amounts.partition("/")
        prices[model] = Price(to_micro(float(prompt)), to_micro(float(completion)))
    return prices


def to_micro(amount: float) -> int:
    """An amount of the currency in millionths of it."""
    return round(amount * MICRO)


def shown(amount: int) -> str:
    """An amount in millionths for people, in whole units: `0.0125`."""
    whole, part = divmod(amount, MICRO)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".")


def _most_tokens(prompt: Prompt) -> int:
    length = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in prompt.messages)
    return length + len(prompt.messages) * _MESSAGE_TOKENS + _FRAME_TOKENS
