"""A Flask app whose assistant answers by script, for `chatbubble serve --app scripted:app`.

What it says to a question:

    say: Some *text*       that text, in pieces of a few characters
    words: 40 at 20        word1 word2 ... word40, with that many milliseconds between them
    hostile: 12            the hostile answer of that number, in pieces of a few characters
    stall                  nothing, until it is stopped
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import gevent
from flask import Flask

from chatbubble import Chatbubble
from chatbubble.provider import Piece
from chatbubble.records import Prompt

_PIECE = 7


class Scripted:
    """See the module's text. `answers` are the hostile ones."""

    name = "scripted"
    model = "scripted-1"

    def __init__(self, answers: list[str]) -> None:
        self._answers = answers

    def stream(self, prompt: Prompt) -> Iterator[Piece]:
        """See Provider.stream."""
        question = prompt.question
        if match := re.fullmatch(r"words: (\d+) at (\d+)", question):
            for number in range(1, int(match[1]) + 1):
                yield f"word{number} "
                gevent.sleep(int(match[2]) / 1000)
        elif question == "stall":
            gevent.sleep(60)
        else:
            text = self._answers[int(question[9:])] if question.startswith("hostile: ") else question[5:]
            for start in range(0, len(text), _PIECE):
                yield text[start : start + _PIECE]
            if not text:
                yield " "


app = Flask(__name__)
Chatbubble(app, provider=Scripted(json.loads(Path(os.environ["HOSTILE_ANSWERS"]).read_text("utf-8"))))
