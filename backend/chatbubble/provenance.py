"""How an answer came about, in what is kept with it. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from .config import Settings
from .records import ModelCall, Provenance


def provenance_of(settings: Settings, provider: str, call: ModelCall, asked_at: int) -> Provenance:
    """What the provider has told of the call, beside what every answer depends on.

    The system prompt is not kept with each answer: its SHA-256 tells which of those that the owner has used it was.
    """
    prompt = hashlib.sha256(settings.system_prompt.encode("utf-8", "surrogatepass")).hexdigest()
    common = {"context_tokens": settings.context_tokens, "system_prompt_sha256": prompt}
    return Provenance(provider, asked_at, replace(call, settings={**call.settings, **common}))
