"""The command line: chatbubble serve, snippet, config, db."""

# ruff: noqa: E402
from __future__ import annotations

from gevent import monkey

monkey.patch_all()  # before anything else imports sockets, ssl or threading

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from inspect import signature
from pathlib import Path

import click
from flask import Flask

from . import __version__
from .assets import Assets
from .config import Settings, describe
from .errors import ConfigError, StoreUnavailable
from .identity import Identity
from .limits import create_limiter
from .logs import set_up
from .mount import EXTENSION_KEY
from .mounted import create_provider, create_redis
from .origins import OriginRules
from .stores.schema import REVISION
from .stores.sql import SqlStore

DEFAULT_BASE = "http://127.0.0.1:8000/api/ai"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chatbubble")
def main() -> None:
    """Chatbubble puts an AI chat bubble on any web page.

    \b
    1. chatbubble serve      answer questions (demo answers without OPENAI_API_KEY)
    2. chatbubble snippet    print the tag to paste into your pages
    3. chatbubble config     list the settings and what they are now
    4. chatbubble db         bring the database's tables up to date
    """


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--app", "app_path", metavar="MODULE:APP", help="Serve your own Flask app that has a Chatbubble.")
def serve(host: str, port: int, app_path: str | None) -> None:
    """Serve the chat until Ctrl-C or SIGTERM.

    Settings come from CHATBUBBLE_... environment variables; `chatbubble config` lists them.
    """
    from .server import create_app
    from .server import serve as serve_app

    try:
        settings = Settings.read({}, os.environ)
        set_up(settings.log_format, settings.log_level)
        app = create_app() if app_path is None else _load(app_path)
        # The app's own config may say otherwise.
        settings = app.extensions[EXTENSION_KEY].settings
        set_up(settings.log_format, settings.log_level)
        _announce(app)
        sys.exit(serve_app(app, host=host, port=port))
    except ConfigError as error:
        raise click.ClickException(error.message) from None


@main.command()
@click.option("--url", default=DEFAULT_BASE, show_default=True, help="Where the chat is mounted, as visitors reach it.")
@click.option("--pin", is_flag=True, help="Pin this exact build with its integrity hash.")
def snippet(url: str, pin: bool) -> None:
    """Print the script tag for your pages."""
    try:
        click.echo(Assets.load().snippet(url, pinned=pin))
    except ConfigError as error:
        raise click.ClickException(error.message) from None


@main.command()
@click.option("--markdown", is_flag=True, help="Print the table of the documentation instead.")
def config(markdown: bool) -> None:
    """List every setting: its value now, what it takes, its meaning; and who answers."""
    if markdown:
        click.echo(markdown_table(), nl=False)
        return
    try:
        settings = Settings.read({}, os.environ)
        OriginRules.parse(settings.allowed_origins)
        create_limiter(settings.rate_limit)
        Identity.create(settings)
        SqlStore(settings.database_url)
        if settings.redis_url:
            create_redis(settings)
        provider = create_provider(settings, os.environ)
    except ConfigError as error:
        raise click.ClickException(error.message) from None
    shown = settings.shown()
    for setting in describe():
        value = " ".join(shown[setting.name].split())
        click.echo(f"{setting.name}={value}\n    {setting.meaning} Takes {setting.expects}.")
    click.echo(f"\nAnswers come from: {provider.name} ({provider.model})")


@main.group()
def db() -> None:
    """Look after the tables of CHATBUBBLE_DATABASE_URL.

    A starting server upgrades them by itself. Do it before where its account may not change tables.
    """


@db.command()
def upgrade() -> None:
    """Bring the tables to this version's revision; harmless when they are, and while servers run."""
    with _database() as store:
        before = store.revision()
        store.upgrade()
        after = store.revision()
    click.echo(f"revision {after}, as before" if after == before else f"revision {after}, before: {before or 'none'}")


@db.command()
def current() -> None:
    """Print the revision of the tables, and the one that this version needs."""
    with _database() as store:
        click.echo(f"revision {store.revision() or 'none'}, needed: {REVISION}")


@contextmanager
def _database() -> Iterator[SqlStore]:
    """The store of the settings, not opened: nobody has to own it for this."""
    try:
        with closing(SqlStore(Settings.read({}, os.environ).database_url)) as store:
            yield store
    except ConfigError as error:
        raise click.ClickException(error.message) from None
    except StoreUnavailable as failure:
        raise click.ClickException(f"CHATBUBBLE_DATABASE_URL cannot be used: {failure.detail}") from None


def markdown_table() -> str:
    """All settings as the table in docs/settings.md."""
    rows = ["| setting | default | takes | meaning |", "|---|---|---|---|"]
    for setting in describe():
        default = f"`{setting.default}`" if setting.default and setting.default[0] != "(" else setting.default
        rows.append(f"| `{setting.name}` | {default} | {setting.expects} | {setting.meaning} |")
    return "\n".join(rows) + "\n"


def _load(path: str) -> Flask:
    module_name, _, attribute = path.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        app = getattr(import_module(module_name), attribute or "app")
    except (ImportError, AttributeError, TypeError, ValueError) as failure:
        raise ConfigError(f"--app should be MODULE:APP, but {path!r:.80} cannot be imported: {failure}") from failure
    if not isinstance(app, Flask) and _is_factory(app):
        app = app()
    if not isinstance(app, Flask) or EXTENSION_KEY not in app.extensions:
        raise ConfigError(f"--app {path!r:.80} is not a Flask app with a Chatbubble: call Chatbubble(app) first")
    return app


def _is_factory(found: object) -> bool:
    """Whether it can be called with nothing, as an application factory is."""
    if not callable(found):
        return False
    try:
        signature(found).bind()
    except (TypeError, ValueError):  # it needs arguments, or is so built in that it does not say
        return False
    return True


def _announce(app: Flask) -> None:
    provider = app.extensions[EXTENSION_KEY].provider
    logging.getLogger("chatbubble").info("answers come from %s (%s)", provider.name, provider.model)
    if provider.name == "demo":
        logging.getLogger("chatbubble").info("demo mode: set OPENAI_API_KEY to let a model answer")


if __name__ == "__main__":
    main()
