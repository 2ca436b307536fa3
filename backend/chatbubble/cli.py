"""The command line: chatbubble serve, snippet, config."""

# ruff: noqa: E402
from __future__ import annotations

from gevent import monkey

monkey.patch_all()  # before anything else imports sockets, ssl or threading

import logging
import os
import sys
from importlib import import_module
from pathlib import Path

import click
from flask import Flask

from .assets import Assets
from .config import Settings, describe
from .errors import ConfigError
from .extension import Chatbubble, create_provider
from .mount import EXTENSION_KEY

DEFAULT_BASE = "http://127.0.0.1:8000/api/ai"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chatbubble")
def main() -> None:
    """Chatbubble puts an AI chat bubble on any web page.

    \b
    1. chatbubble serve      answer questions (demo answers without OPENAI_API_KEY)
    2. chatbubble snippet    print the tag to paste into your pages
    3. chatbubble config     list the settings and what they are now
    """


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--app", "app_path", metavar="MODULE:APP", help="Serve your own Flask app that has a Chatbubble.")
def serve(host: str, port: int, app_path: str | None) -> None:
    """Serve the chat until Ctrl-C or SIGTERM.

    Settings come from CHATBUBBLE_... environment variables; `chatbubble config` lists them.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "httpx2", "openai"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from .server import serve as serve_app

    try:
        app = _load(app_path) if app_path else _create_app()
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
def config() -> None:
    """List every setting: its value now, its meaning; and who answers."""
    try:
        settings = Settings.read({}, os.environ)
        provider = create_provider(settings, os.environ)
    except ConfigError as error:
        raise click.ClickException(error.message) from None
    for name, default, meaning, is_secret in describe():
        value = getattr(settings, name.removeprefix("CHATBUBBLE_").lower())
        shown = "(set)" if is_secret and name in os.environ else default if name not in os.environ else str(value)
        click.echo(f"{name}={shown}\n    {meaning}")
    click.echo(f"\nAnswers come from: {provider.name} ({provider.model})")


def _create_app() -> Flask:
    app = Flask("chatbubble")
    Chatbubble(app)
    return app


def _load(path: str) -> Flask:
    module_name, _, attribute = path.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        app = getattr(import_module(module_name), attribute or "app")
    except (ImportError, AttributeError) as failure:
        raise ConfigError(f"--app should be MODULE:APP, but {path!r:.80} cannot be imported: {failure}") from None
    app = app() if callable(app) and not isinstance(app, Flask) else app
    if not isinstance(app, Flask) or EXTENSION_KEY not in app.extensions:
        raise ConfigError(f"--app {path!r:.80} is not a Flask app with a Chatbubble: call Chatbubble(app) first")
    return app


def _announce(app: Flask) -> None:
    provider = app.extensions[EXTENSION_KEY].provider
    logging.getLogger("chatbubble").info("answers come from %s (%s)", provider.name, provider.model)
    if provider.name == "demo":
        logging.getLogger("chatbubble").info("demo mode: set OPENAI_API_KEY to let a model answer")


if __name__ == "__main__":
    main()
