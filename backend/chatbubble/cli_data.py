"""The commands for what is kept: chatbubble export, erase, purge. They work beside servers that run, and without any.

What needs a patched standard library is imported by each command, as in `cli.py`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, NamedTuple

import click
from gevent import monkey

from .config import Settings
from .errors import ChatbubbleError, ConfigError, RedisUnavailable, StoreUnavailable

if TYPE_CHECKING:
    from .records import KeptConversation
    from .stores.archive import Archive
    from .stores.sql import SqlStore

_STORED_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DAY_S = 86_400
_REDIS_S = 10.0

_VISITOR_HELP = "The visitor's id as the export has it, or a session id."


class _Opened(NamedTuple):
    settings: Settings
    store: SqlStore
    archive: Archive


@click.command()
@click.option("--visitor", metavar="VISITOR", help=f"Only this one. {_VISITOR_HELP}")
@click.option("--person", metavar="SUB", help="Only the visitor whom your tokens call so.")
@click.option("--issuer", metavar="ISS", default="", help="With --person, where the key that signs demands an issuer.")
@click.option("--since", metavar="DATE", type=click.DateTime(), help="Only what was said from then on, in UTC.")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json", show_default=True)
@click.option(
    "--output",
    type=click.File("w", encoding="utf-8", lazy=True, atomic=True),
    default="-",
    help="A file instead of the standard output.",
)
def export(
    visitor: str | None, person: str | None, issuer: str, since: datetime | None, form: str, output: IO[str]
) -> None:
    """Write out everything that is kept: conversations with their answers' models, settings and times.

    In CSV, a cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    with _opened() as opened:
        from .export import write_csv, write_json

        since_ms = int(since.replace(tzinfo=UTC).timestamp() * 1000) if since else 0
        archive = opened.archive
        kept: Iterator[KeptConversation]
        if visitor or person:
            ids = _find_ids(opened.settings, visitor, person, issuer)
            kept = (found for visitor_id in ids for found in archive.read_one(visitor_id, since_ms))
        else:
            kept = archive.read(since_ms)
        count = (write_csv if form == "csv" else write_json)(kept, output)
    click.echo(f"{count} conversations", err=True)


@click.command()
@click.argument("visitor", required=False)
@click.option("--person", metavar="SUB", help="The visitor whom your tokens call so.")
@click.option("--issuer", metavar="ISS", default="", help="With --person, where the key that signs demands an issuer.")
def erase(visitor: str | None, person: str | None, issuer: str) -> None:
    """Erase everything of one VISITOR, for good: by the id that the export has, or by a session id.

    Servers that run end the answer that is being written, and forget the rest within seconds.
    """
    with _opened() as opened:
        ids = _find_ids(opened.settings, visitor, person, issuer)
        streams = [stream_id for visitor_id in ids for stream_id in opened.archive.erase(visitor_id)]
        # Also where nothing was found: an erasure before may have been cut short.
        is_forgotten = opened.archive.forget_erased()
        if opened.settings.redis_url:
            _erase_from_redis(opened.settings, streams)
    if not streams:
        raise click.ClickException("nothing is kept of this visitor")
    if not is_forgotten:
        raise click.ClickException("erased, but somebody reads the database file, whose log still has it: try again")
    click.echo(f"erased, with {len(streams)} {'answer' if len(streams) == 1 else 'answers'}")


@click.command()
@click.option("--days", type=click.IntRange(1, 36_500), help="Instead of CHATBUBBLE_KEEP_DAYS.")
def purge(days: int | None) -> None:
    """Delete every conversation that has been silent for longer than CHATBUBBLE_KEEP_DAYS, now.

    A server does so every night by itself.
    """
    with _opened() as opened:
        from .housekeeping import purge as purge_before

        days = days or opened.settings.keep_days
        if not days:
            raise ConfigError("CHATBUBBLE_KEEP_DAYS is 0: set it, or say --days")
        count = purge_before(opened.store, time.time() - days * _DAY_S)
    click.echo(f"deleted {count} {'conversation' if count == 1 else 'conversations'}")


@contextmanager
def _opened() -> Iterator[_Opened]:
    """The database of the settings; whatever goes wrong with it is one line."""
    monkey.patch_all()
    from .stores.archive import Archive
    from .stores.sql import SqlStore

    try:
        settings = Settings.read({}, os.environ)
        # Shared, since others may be at work in it and it is only looked at.
        with closing(SqlStore(settings.database_url, is_shared=True)) as store:
            archive = Archive(store, int(time.time() * 1000))
            archive.check()
            yield _Opened(settings, store, archive)
    except StoreUnavailable as failure:
        setting = "CHATBUBBLE_REDIS_URL" if isinstance(failure, RedisUnavailable) else "CHATBUBBLE_DATABASE_URL"
        raise click.ClickException(f"{setting} cannot be used: {failure.detail}") from None
    except ChatbubbleError as error:
        raise click.ClickException(error.detail or error.message) from None


def _find_ids(settings: Settings, visitor: str | None, person: str | None, issuer: str) -> list[str]:
    """Under which ids the visitor may be kept. Raises ConfigError when it is not said who, and BadRequest or
    SessionExpired when that is no visitor."""
    from .identity import Identity, name_person
    from .visitors import visitor_of_person

    if bool(visitor) == bool(person):
        raise ConfigError("say which visitor: by an id or a session id, or with --person")
    if person:
        return [visitor_of_person(name_person(issuer, person))]
    name = visitor or ""
    # A session id may look like an id of ours, and then is one that nobody else has.
    stored = [name] if _STORED_ID.fullmatch(name) else []
    return [*stored, Identity.create(settings).visitors.of_session(name)]


def _erase_from_redis(settings: Settings, streams: list[str]) -> None:
    """Also where no server runs that could."""
    from .choices import create_redis

    redis = create_redis(settings)
    try:
        redis.hub.connect()
        for stream_id in streams:
            redis.log.erase(stream_id)
    finally:
        is_whole = redis.close(_REDIS_S)
    if not is_whole:
        raise RedisUnavailable(detail="it did not take all in time: run a server, or try again")
