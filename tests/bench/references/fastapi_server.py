"""A chat backend as FastAPI, sse-starlette and the openai package make one: an event for every delta. No log, so
nothing can be resumed.

    uvicorn fastapi_server:app --loop uvloop --http httptools --no-access-log
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx2
from fastapi import FastAPI
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

# The package's own limit, 1,000 connections, would be the benchmark's.
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=1000)
openai = AsyncOpenAI(max_retries=0, http_client=DefaultAsyncHttpxClient(limits=LIMITS))
app = FastAPI(openapi_url=None)


class Question(BaseModel):
    """What a visitor sends."""

    message: str


@app.post("/chat")
async def chat(question: Question) -> EventSourceResponse:
    """The answer as an event stream."""
    return EventSourceResponse(tell(question.message))


async def tell(message: str) -> AsyncIterator[ServerSentEvent]:
    """The answer's deltas, and an end."""
    answer = await openai.chat.completions.create(
        model="stand-in",
        messages=[{"role": "user", "content": message}],
        stream=True,
        stream_options={"include_usage": True},
    )
    async with answer:
        async for part in answer:
            if part.choices and (text := part.choices[0].delta.content):
                yield ServerSentEvent(data=json.dumps({"text": text}))
    yield ServerSentEvent(event="done", data="{}")
