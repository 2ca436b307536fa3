"""How the routes join a Flask app: addresses, methods and the CORS headers around the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask.blueprints import BlueprintSetupState
from flask_cors import cross_origin
from werkzeug.routing import BaseConverter

from .origins import OriginRules
from .views import ROUTES, View, dispatch, is_file

PREFLIGHT_S = 7200

Cors = Callable[[View], View]


class RestConverter(BaseConverter):
    """Matches anything, slashes and line ends included: the addresses under the prefix that hold nothing."""

    regex = r"[\s\S]*?"
    part_isolating = False
    weight = 1000


class EveryMethod(set[str]):
    """Lists the methods that an address has, yet holds any other too: all are answered in our JSON."""

    def __contains__(self, method: object) -> bool:
        return True


def add_routes(state: BlueprintSetupState, origins: OriginRules) -> None:
    """Add every route under the prefix of `state`, and what answers all other addresses there.

    Under the bare root there is no such answer: unknown addresses are the host app's.
    """
    state.app.url_map.converters["chatbubble_rest"] = RestConverter
    shared = _cors(origins)
    # The widget's files say themselves that any page may load them; evaluated here, so
    # that an app-wide CORS(app) of the host does not say it twice.
    closed = _cors(OriginRules(()))
    for rule, views in ROUTES.items():
        name = "_".join(view.__name__ for view in views.values())
        _add(state, rule, name, views, closed if is_file(views) else shared)
    if (state.url_prefix or "").strip("/"):
        _add(state, "", "nothing", {}, shared)
        _add(state, "/<chatbubble_rest:rest>", "nothing_else", {}, shared)


def _cors(origins: OriginRules) -> Cors:
    # `Vary` is set by the views, on each answer and not only where an origin fits.
    return cross_origin(
        origins=list(origins.patterns),
        methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        expose_headers=["Retry-After"],
        max_age=PREFLIGHT_S,
        send_wildcard=False,
        supports_credentials=False,
        allow_private_network=False,
        always_send=False,
        vary_header=False,
        automatic_options=False,
    )


def _add(state: BlueprintSetupState, rule: str, name: str, views: Mapping[str, View], cors: Cors) -> None:
    # Redirects to a tidier address would be HTML, and the host app's.
    options = {"strict_slashes": True, "merge_slashes": False, "provide_automatic_options": False}
    state.add_url_rule(rule, name, cors(dispatch(rule, views)), methods=list(views), **options)
    for added in state.app.url_map.iter_rules(f"{state.name_prefix}.{state.name}.{name}".lstrip(".")):
        added.methods = EveryMethod(added.methods or ())
