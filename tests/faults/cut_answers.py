"""Answers cut at random places: do they arrive whole, once, and all of them?

    python tests/faults/cut_answers.py --answers 1000 --seed 7

starts a model's server and Chatbubble, each as a process of its own, lets as many visitors ask,
each through a proxy of their own that cuts up to five of their connections, and prints what
came of it. The seed decides on texts and cuts; the rest is the machine's own timing.
"""

from __future__ import annotations

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from gevent.pool import Pool

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "backend"), str(TESTS / "fixtures")]

from wire_client import Answer, WireClient  # noqa: E402
from wire_proxy import WireProxy, random_cuts  # noqa: E402

MOST_CUTS = 5
# Rather less than what the head and a short token cost on the wire.
HEAD_BYTES, TOKEN_BYTES = 700, 30
WORDS = [
    "the ",
    "return",
    "**bold** ",
    "\u4f60\u597d",
    "\U0001f44b\U0001f3fd ",
    "e\u0301",
    '"so"',
    "\\n ",
    "\u2028",
    "a ",
]


@dataclass
class Tally:
    """What came of all answers."""

    answers: int = 0
    cuts: int = 0
    answers_cut: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    wrong: int = 0
    resets: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether every answer arrived whole and once."""
        return not (self.lost or self.doubled or self.stuck or self.wrong or self.refusals)

    def add(self, answer: Answer, told: str, cuts: int, took_s: float) -> None:
        """Count one answer; `told` is what the model said."""
        self.answers += 1
        self.cuts += cuts
        self.answers_cut += bool(cuts)
        self.lost += bool(answer.units_lost)
        self.doubled += bool(answer.units_doubled)
        self.stuck += not answer.is_ended
        self.wrong += not (answer.is_whole and answer.text == told and answer.finish == "stop")
        self.resets += answer.resets
        self.refusals.update(answer.refusals)
        self.longest_s = max(self.longest_s, took_s)


def cut_answers(port: int, answers: int, seed: int, at_once: int = 20) -> Tally:
    """Have `answers` visitors ask the Chatbubble on `port`, whose model takes the phrases of
    `model_phrases.py`."""
    tally = Tally()
    pool = Pool(at_once)
    for number in range(answers):
        pool.spawn(_one_answer, port, random.Random(f"{seed}.{number}"), tally)
    pool.join(raise_error=True)
    return tally


def _one_answer(port: int, chance: random.Random, tally: Tally) -> None:
    words = [*chance.choices(WORDS, k=chance.randint(1, 80)), "end"]
    text = "".join(words).lstrip()
    proxy = WireProxy(port, random_cuts(chance, MOST_CUTS, HEAD_BYTES + len(words) * TOKEN_BYTES))
    proxy.start()
    began = time.monotonic()
    try:
        answer = WireClient(proxy.port, f"say at {chance.choice((1, 2, 4))} ms: {text}").run()
    finally:
        proxy.stop()
    tally.add(answer, text, proxy.cuts_made, time.monotonic() - began)


def main() -> int:
    """Run the whole; 0 when every answer arrived whole and once."""
    from model_server import ModelServer
    from process import ServerProcess

    parser = argparse.ArgumentParser(description="Cut answers at random places and count what arrives.")
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=20)
    chosen = parser.parse_args()
    model = ModelServer()
    model.start()
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(
            Path(folder),
            {
                "CHATBUBBLE_PROVIDER": "openai",
                "CHATBUBBLE_RATE_LIMIT": "off",
                "OPENAI_API_KEY": "sk-test",
                "OPENAI_BASE_URL": model.base_url,
            },
        )
        began = time.monotonic()
        try:
            tally = cut_answers(server.port, chosen.answers, chosen.seed, chosen.at_once)
        finally:
            server.kill()
            model.stop()
    asked = len(model.requests)
    sys.stdout.write(
        f"{tally.answers} answers, {tally.answers_cut} of them cut, at {tally.cuts} places, seed {chosen.seed}\n"
        f"lost {tally.lost}, doubled {tally.doubled}, stuck {tally.stuck}, wrong {tally.wrong}\n"
        f"model asked {asked} times, resets {tally.resets}, refusals {dict(tally.refusals)}\n"
        f"{time.monotonic() - began:.1f} s in all, {tally.longest_s:.2f} s the longest answer\n"
    )
    return 0 if tally.is_clean and asked == tally.answers else 1


if __name__ == "__main__":
    sys.exit(main())
