"""Answers as the wire has them, made up here: for events that no model of the tests sends."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, Route

SOURCES = [
    {"n": 1, "title": "Delivery", "url": "https://shop.example/delivery", "snippet": "Before noon means today."},
    {"n": 2, "title": "Returns", "url": "javascript:alert(1)", "snippet": "Thirty days, no questions asked."},
]


def answer_with(page: Page, text: str, **events: dict[str, Any]) -> list[dict[str, Any]]:
    """From now on every question of this page gets that answer, with those events before its end.

    Returns what was asked, oldest first: the bodies of the requests, also of later ones.
    """
    asked: list[dict[str, Any]] = []

    def answer(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "{}"))
        number = len(asked)
        told = {
            "connected": {"streamId": f"stream-{number}", "messageId": f"answer-{number}", "conversationId": "all"},
            "token": {"text": text, "index": 0},
            **events,
            "done": {"messageId": f"answer-{number}", "fullText": text, "finishReason": "stop"},
        }
        body = "".join(
            f"id: 1.{seq}\nevent: {name}\ndata: {json.dumps(data)}\n\n" for seq, (name, data) in enumerate(told.items())
        )
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/event-stream; charset=utf-8"}
        route.fulfill(status=200, headers=headers, body=body)

    page.route("**/api/ai/chat", answer)
    return asked


def reply_to(page: Page, route: str, *statuses: int) -> list[dict[str, Any]]:
    """Requests to one of the server's routes get these statuses, the last one for good.

    Returns the requests' bodies, oldest first, also of later ones.
    """
    heard: list[dict[str, Any]] = []

    def reply(request: Route) -> None:
        heard.append(json.loads(request.request.post_data or "{}"))
        status = statuses[min(len(heard), len(statuses)) - 1]
        request.fulfill(status=status, headers={"Access-Control-Allow-Origin": "*"})

    page.route(f"**/api/ai/{route}", reply)
    return heard


def wait_for(page: Page, heard: list[dict[str, Any]], count: int) -> None:
    """Wait until that many requests came; the page goes on meanwhile."""
    for _ in range(500):
        if len(heard) >= count:
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"{len(heard)} requests came, not {count}")
