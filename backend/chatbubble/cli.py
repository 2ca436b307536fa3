"""The command line: chatbubble serve, snippet, config, db.

What imports sockets, ssl or threading is imported by each command: only after gevent has patched the standard library,
and not at all in the process that only looks after others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click
from gevent import monkey

from . import __version__
from .cli_data import erase, export, purge
from .config import Settings, describe
from .errors import ConfigError, StoreUnavailable
from .risks import is_debugging, refuse_public_debugging
from .sharing import lacking_to_share

if TYPE_CHECKING:
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
    5. chatbubble export     write out everything that is kept; erase, purge
    """


for command in (export, erase, purge):
    main.add_command(command)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--app", "app_path", metavar="MODULE:APP", help="Serve your own Flask app that has a Chatbubble.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Processes, under gunicorn; several need Redis and PostgreSQL.",
)
def serve(host: str, port: int, app_path: str | None, workers: int) -> None:
    """Serve the chat until Ctrl-C or SIGTERM.

    Settings come from CHATBUBBLE_... environment variables; `chatbubble config` lists them.
    """
    try:
        settings = Settings.read({}, os.environ)
        if is_debugging({}, os.environ):
            refuse_public_debugging(host)
        if workers > 1:
            sys.exit(_serve_several(settings, app_path, host, port, workers))
        monkey.patch_all()
        from . import server

        app = server.get_app(settings, app_path)
        sys.exit(server.serve(app, host=host, port=port))
    except ConfigError as error:
        raise click.ClickException(error.message) from None


def _serve_several(settings: Settings, app_path: str | None, host: str, port: int, workers: int) -> int:
    """Not patched here: gunicorn's own process waits for real signals, and each worker patches itself."""
    if app_path is None and (lacking := lacking_to_share(settings)):
        # What an app of somebody else says in its own config is known to the workers only; they refuse then.
        raise ConfigError(f"--workers {workers} needs {lacking}")
    try:
        from .processes import serve_several
    except ModuleNotFoundError as failure:
        raise ConfigError(f"--workers needs {failure.name}: pip install 'chatbubble[processes]'") from None
    return serve_several(settings, app_path, host=host, port=port, workers=workers)


@main.command()
@click.option("--url", default=DEFAULT_BASE, show_default=True, help="Where the chat is mounted, as visitors reach it.")
@click.option("--pin", is_flag=True, help="Pin this exact build with its integrity hash.")
def snippet(url: str, pin: bool) -> None:
    """Print the script tag for your pages."""
    monkey.patch_all()
    from .assets import Assets

    try:
        click.echo(Assets.load().snippet(url, pinned=pin))
    except ConfigError as error:
        raise click.ClickException(error.message) from None


@main.command()
@click.option("--markdown", is_flag=True, help="Print the table of the documentation instead.")
@click.option("--check", is_flag=True, help="Say all that is wrong, a line each; exit code 1 if anything is.")
def config(markdown: bool, check: bool) -> None:
    """List every setting: its value now, what it takes, its meaning; and who answers."""
    if markdown:
        click.echo(markdown_table(), nl=False)
        return
    monkey.patch_all()
    from .choices import create_provider
    from .config_check import find_problems

    problems = find_problems({}, os.environ)
    if check:
        for problem in problems:
            click.echo(problem)
        if not problems:
            click.echo("The configuration is in order.")
        sys.exit(bool(problems))
    if problems:
        more = f" ({len(problems) - 1} more: chatbubble config --check)" if len(problems) > 1 else ""
        raise click.ClickException(problems[0] + more)
    settings = Settings.read({}, os.environ)
    provider = create_provider(settings, os.environ)
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
        from .stores.schema import REVISION

        click.echo(f"revision {store.revision() or 'none'}, needed: {REVISION}")


@contextmanager
def _database() -> Iterator[SqlStore]:
    """The store of the settings, not opened: nobody has to own it for this."""
    monkey.patch_all()
    from .stores.sql import SqlStore

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


if __name__ == "__main__":
    main()
