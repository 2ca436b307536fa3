"""What reading one delta from the model's server costs, in processor time of this process.

    PYTHONPATH=backend python tests/bench/provider_cost.py [--streams 50] [--tokens 200] [--rounds 5]

The same answers, from the same model server in a process of its own, are read by our
provider and by the openai package's typed stream, in turns. Printed are the medians in
microseconds per delta, requests included, and the ratio of the two.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
import openai  # noqa: E402

from chatbubble.providers.openai import OpenAIProvider  # noqa: E402
from chatbubble.records import Prompt, PromptMessage  # noqa: E402

SERVER = Path(__file__).parent.parent / "fixtures" / "model_server.py"

Reader = Callable[[str], int]


@contextmanager
def served() -> Iterator[str]:
    """The address of a model server in a process of its own."""
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def our_reader(url: str) -> Reader:
    """Reads an answer as a turn does; returns its length."""
    provider = OpenAIProvider(model="bench", api_key="sk-bench", base_url=url)

    def read(question: str) -> int:
        pieces = provider.stream(Prompt((PromptMessage("user", question),)))
        return sum(len(piece) for piece in pieces if isinstance(piece, str))

    return read


def typed_reader(url: str) -> Reader:
    """Reads an answer as the openai package's documentation shows it."""
    client = openai.OpenAI(api_key="sk-bench", base_url=url)

    def read(question: str) -> int:
        deltas = client.chat.completions.create(
            model="bench",
            messages=[{"role": "user", "content": question}],
            temperature=0.7,
            max_tokens=2048,
            stream=True,
            stream_options={"include_usage": True},
        )
        return sum(len(delta.choices[0].delta.content or "") for delta in deltas if delta.choices)

    return read


def cost_us(read: Reader, question: str, streams: int, tokens: int) -> float:
    """Processor time per delta, in microseconds, of `streams` answers read at once."""
    expected = sum(len(f"word{number} ") for number in range(1, tokens + 1))
    began = time.process_time()
    readers = [gevent.spawn(read, question) for _ in range(streams)]
    gevent.joinall(readers, raise_error=True)
    spent = time.process_time() - began
    assert [reader.value for reader in readers] == [expected] * streams
    return spent / (streams * tokens) * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--pause-ms", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    question = f"answer: {options.tokens} tokens at {options.pause_ms:g} ms"
    with served() as url:
        readers = {"ours": our_reader(url), "typed stream": typed_reader(url)}
        for read in readers.values():
            read(question)
        costs: dict[str, list[float]] = {name: [] for name in readers}
        for _ in range(options.rounds):
            for name, read in readers.items():
                costs[name].append(cost_us(read, question, options.streams, options.tokens))
    medians = {name: statistics.median(rounds) for name, rounds in costs.items()}
    for name, rounds in costs.items():
        print(f"{name:>14}: {medians[name]:6.1f} us per delta  (from {min(rounds):.1f} to {max(rounds):.1f})")
    print(f"{'ratio':>14}: {medians['ours'] / medians['typed stream']:6.2f}")


if __name__ == "__main__":
    main()
