"""The model of the fault suite: whatever it says can be told apart from everything else that it ever said.

A question is `tell <tag>: <words> words of <letters> at <pause> ms`; words have so many letters at least.
Each word of the answer names the answer, the call and its own place: `b7.2.31` is word 31 of the second call for b7.
So text of two calls, or of two answers, can never be taken for one text.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator

from history import Call, Story
from model_connection import ModelRequest
from model_server import ModelServer
from model_steps import DONE, Step, chunk, delta, end, failure, finish, head, usage, wait

_QUESTION = re.compile(r"tell (\w+): (\d+) words of (\d+) at ([\d.]+) ms")
# What texts have trouble with: what is escaped in JSON, takes two units of UTF-16, or joins what stands before it.
_SPICE = ("", "", "", "\u4f60\u597d", "\U0001f44b\U0001f3fd", "e\u0301", '"so"', "\\n", "\u2028", "**bold**", "\n\n")


def question(story: Story, pause_ms: float, *, letters: int = 0) -> str:
    """What to ask for this answer."""
    return f"tell {story.tag}: {story.words} words of {letters} at {pause_ms:g} ms"


def words_of(tag: str, call: int, count: int, letters: int = 0) -> tuple[str, ...]:
    """What a call says, from the first word to the last; the same each time."""
    chance = random.Random(f"{tag}.{call}")
    return tuple(
        f"{tag}.{call}.{number}{chance.choice(_SPICE)}".ljust(letters, "-") + " " for number in range(1, count + 1)
    )


class Teller:
    """Answers the questions of stories it knows, and writes down in them how far each call came."""

    def __init__(self, seed: int) -> None:
        self.stories: dict[str, Story] = {}
        self.calls = self.words_said = 0
        # Processes that are dead, or stand still: what still comes from them was on its way; and all that ever were.
        self.broken: set[str] = set()
        self.ever_broken: set[str] = set()
        # Answers that somebody asked for once more after they were over, and who it was.
        self.late: list[tuple[str, str]] = []
        self._seed, self._count = seed, 0
        self.server = ModelServer(phrases=self)

    def new_story(self, words: int) -> Story:
        """An answer of so many words that nobody has asked for yet."""
        self._count += 1
        story = Story(f"s{self._seed}x{self._count}", words)
        self.stories[story.tag] = story
        return story

    def forget(self, story: Story) -> None:
        """It is checked: keep nothing of it."""
        del self.stories[story.tag]
        self.server.requests.clear()

    def steps(self, request: ModelRequest) -> Iterator[Step]:
        """See model_server.Phrases. Whose key comes with a request, that process asks."""
        match = _QUESTION.fullmatch(request.question.strip())
        if match is None:
            raise ValueError(f"nobody was to ask {request.question!r:.80}")
        server = request.headers.get("authorization", "").removeprefix("Bearer ")
        story = self.stories.get(match[1])
        if story is None:
            if server not in self.ever_broken:
                self.late.append((match[1], server))
            return iter(failure(500))
        number = len(story.calls) + 1
        call = Call(number, words_of(story.tag, number, story.words, int(match[3])), server)
        call.was_cut = server in self.broken
        story.calls.append(call)
        self.calls += 1
        return self._tell(call, float(match[4]) / 1000)

    def break_off(self, server: str) -> list[Story]:
        """A process dies, or stands still, now: the answers that it had in hand."""
        self.broken.add(server)
        self.ever_broken.add(server)
        broken = self.in_hand(server)
        for _, call in broken:
            call.was_cut = True
        return [story for story, _ in broken]

    def in_hand(self, server: str) -> list[tuple[Story, Call]]:
        """The answers that a process has in hand now, by the key that it asks with: what it asked for last, and has
        not yet told to its end."""
        return [
            (story, call)
            for story in self.stories.values()
            for call in story.calls[-1:]
            if call.server == server and not all(reading.is_ended for reading in story.readings)
        ]

    def _tell(self, call: Call, pause_s: float) -> Iterator[Step]:
        call.is_open = True
        try:
            yield from self._say(call, pause_s)
        finally:
            call.is_open = False

    def _say(self, call: Call, pause_s: float) -> Iterator[Step]:
        yield head()
        for word in call.words:
            # On its way from here on: a client may have it before we come to the next line.
            call.words_said += 1
            self.words_said += 1
            yield chunk(delta(word))
            yield wait(pause_s)
        call.ended_at = time.monotonic()
        yield chunk(finish())
        yield chunk(usage(completion_tokens=len(call.words)))
        yield chunk(DONE)
        yield end()
