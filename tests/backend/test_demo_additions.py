"""What the demo's answers have beside their text: pages of the shop, and questions that it can answer."""

from __future__ import annotations

import re

import pytest

from chatbubble.additions import fitting_sources, fitting_suggestions
from chatbubble.events import Sources, Suggestions
from chatbubble.providers.demo import ANSWERS, FALLBACK, INSTANT, DemoProvider, find_topic
from chatbubble.providers.demo_additions import SHOP, sources_of, suggestions_of
from chatbubble.records import Page, Prompt, PromptMessage, Source

ALL = [(language, topic) for language, answers in ANSWERS.items() for topic in answers]


@pytest.mark.parametrize(("language", "topic"), ALL)
def test_the_numbers_in_an_answer_are_those_of_its_sources(language: str, topic: str) -> None:
    text = re.sub(r"```.*?```", "", ANSWERS[language][topic], flags=re.DOTALL)
    sources = fitting_sources(sources_of(topic, language, SHOP))
    assert re.findall(r"\[([0-9]+)\]", text) == [str(source.n) for source in sources]


@pytest.mark.parametrize("language", ANSWERS)
@pytest.mark.parametrize("topic", ["returns", "shipping"])
def test_some_answers_have_two_sources(language: str, topic: str) -> None:
    assert len(sources_of(topic, language, SHOP)) == 2


@pytest.mark.parametrize(("language", "topic"), ALL)
def test_every_suggestion_fits_and_can_be_answered(language: str, topic: str) -> None:
    suggestions = suggestions_of(topic, language)
    assert list(fitting_suggestions(suggestions)) == suggestions
    found = [find_topic(suggestion) for suggestion in suggestions]
    assert None not in found
    assert len({*found, topic}) == len(found) + 1


def test_most_answers_have_suggestions() -> None:
    without = {topic for topic in ANSWERS["en"] if not suggestions_of(topic, "en")}
    assert without == {"thanks", "goodbye", "emoji"}
    assert FALLBACK not in without


@pytest.mark.parametrize(
    ("url", "shop"), [("http://127.0.0.1:8080/shop?a=1", "http://127.0.0.1:8080"), ("", SHOP), ("data:,", SHOP)]
)
def test_sources_and_suggestions_come_after_the_text(url: str, shop: str) -> None:
    asked = Prompt((PromptMessage("user", "What does delivery cost?"),), page=Page(url))
    *_, sources, suggestions, _finish = DemoProvider(pace=INSTANT).stream(asked)
    assert isinstance(sources, Sources)
    assert isinstance(suggestions, Suggestions)
    assert [source.url for source in sources.sources] == [f"{shop}/delivery#delivery", f"{shop}/delivery#questions"]
    assert all(isinstance(source, Source) and source.snippet for source in sources.sources)


def test_a_question_in_chinese_gets_suggestions_in_chinese() -> None:
    asked = Prompt((PromptMessage("user", "怎么退货"),))
    *_, suggestions, _finish = DemoProvider(pace=INSTANT).stream(asked)
    assert isinstance(suggestions, Suggestions)
    assert suggestions.suggestions[0] == "穿多大码合适？"
