"""All that is wrong with a configuration, at once. Files are read for it; nothing is opened or connected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from .choices import create_provider, create_redis
from .config import Settings
from .errors import ConfigError
from .identity_keys import find_key_faults
from .limits import RATES, read_rules
from .origins import OriginRules
from .spending import read_budget
from .stores.sql import SqlStore


def find_problems(config: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """One line for each problem, which names the setting; the first is the one that a start would end with.

    Args:
        config: a Flask config, or nothing.
        environ: the environment.
    """
    settings, problems = Settings.examine(config, environ)
    for check in _checks(settings, environ):
        try:
            check()
        except ConfigError as problem:
            problems.append(problem.message)
    return [*problems, *find_key_faults(settings)]


def _checks(settings: Settings, environ: Mapping[str, str]) -> Iterator[Callable[[], object]]:
    """What reads a setting once more, each alone. One that could not be read at all has its default here."""
    for rule in settings.allowed_origins:
        yield partial(OriginRules.parse, [rule])
    for rate in RATES:
        yield partial(read_rules, settings, rate)
    yield partial(SqlStore, settings.database_url)
    if settings.redis_url:
        yield partial(create_redis, settings)
    yield partial(create_provider, settings, environ)
    if settings.provider == "openai" or (settings.provider == "auto" and environ.get("OPENAI_API_KEY")):
        yield partial(read_budget, settings, settings.model)
