"""Control routes only the Xero sandbox has: apps, consent, connections, organisations, webhooks, bookkeeper."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kernel.control import ControlCall, control_route, control_view
from sandbox.kernel.emulator import ControlError
from sandbox.xero import bookkeeper, desk
from sandbox.xero.identity import DEFAULT_CLIENT_ID
from sandbox.xero.resource import make_guid
from sandbox.xero.scopes import GRANULAR
from sandbox.xero.webhooks import CATEGORIES, Subscription
from sandbox.xero.wire import load

if TYPE_CHECKING:
    from sandbox.xero.books import Books
    from sandbox.xero.world import XeroEmulator

URL_SCHEMES = ("http", "https")


def routes(world: XeroEmulator) -> list[BaseRoute]:
    """The routes, below /_sandbox."""
    return [
        *desk.routes(world),
        control_view(
            "/apps", lambda: {"apps": [_shown_app(app) for app in world.identity.rows("apps").values()]}
        ),
        control_route("/apps", lambda call: _add_app(world, call.body)),
        control_route("/consent", lambda call: _consent(world, call.body)),
        control_route("/connect", lambda call: _connect(world, call)),
        control_route("/disconnect", lambda call: _disconnect(world, call.body)),
        control_route("/organisations", lambda call: _organisation(world, call.body)),
        control_route("/practices", lambda call: _practice(world, call.body)),
        control_route("/bookkeeper", lambda call: _bookkeeper(world, call.body)),
        control_view(
            "/webhooks",
            lambda: {"webhooks": [one.describe() for one in world.webhooks.subscriptions.values()]},
        ),
        Route("/_sandbox/webhooks", _save_webhook(world), methods=["POST"]),
        Route("/_sandbox/webhooks/flush", _flush(world), methods=["POST"]),
    ]


def _text(body: dict[str, Any], name: str, default: str = "") -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise ControlError(f"{name} must be text.")
    return value


def _shown_app(app: dict[str, Any]) -> dict[str, Any]:
    return {
        "client_id": app["ClientID"],
        "client_secret": app["ClientSecret"],
        "name": app["Name"],
        "redirect_uris": app["RedirectUris"],
        "custom_connection": app.get("CustomTenant", ""),
    }


def _add_app(world: XeroEmulator, body: dict[str, Any]) -> dict[str, Any]:
    uris = body.get("redirect_uris", [])
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise ControlError("redirect_uris must be a list of addresses.")
    custom = body.get("custom_connection")
    secret = "" if body.get("is_public") else _text(body, "client_secret", secrets.token_urlsafe(32))
    app = {
        "ClientID": _text(body, "client_id", secrets.token_hex(16).upper()),
        "ClientSecret": secret,
        "Name": _text(body, "name", "Sandbox App"),
        "RedirectUris": uris,
        "CustomTenant": world.pick(custom) if custom else "",
    }
    world.identity.add_app(app)
    return _shown_app(app)


def _consent(world: XeroEmulator, body: dict[str, Any]) -> dict[str, Any]:
    decision = body.get("decision")
    if decision is not None and not isinstance(decision, str):
        raise ControlError(
            'decision is "all", "none", "deny", a comma list of tenant ids, or null for the page.'
        )
    world.identity_pages.auto_consent = decision
    return {"decision": decision}


def _connect(world: XeroEmulator, call: ControlCall) -> dict[str, Any]:
    """Consent and exchange in one step, for scripts that do not test OAuth."""
    body = call.body
    client_id = _text(body, "client_id", DEFAULT_CLIENT_ID)
    app = world.identity.get("apps", client_id)
    if app is None:
        raise ControlError(f"There is no app {client_id!r}. Register it with POST /_sandbox/apps.")
    wanted = body.get("organisations", "all")
    if wanted != "all" and not isinstance(wanted, list):
        raise ControlError('organisations is "all" or a list of ids or names.')
    tenants = [one for one in world.tenants() if wanted == "all" or one[0] in wanted or one[2] in wanted]
    scopes = body.get("scopes")
    if scopes is not None and not isinstance(scopes, str):
        raise ControlError("scopes is a text with spaces between.")
    code = world.identity.consent(
        client_id=client_id,
        scopes=scopes.split() if scopes else sorted(GRANULAR),
        tenants=tenants,
        redirect_uri="",
        challenge="",
        nonce="",
    )
    issuer = str(call.request.base_url).rstrip("/")
    form = {"code": code, "redirect_uri": "", "code_verifier": ""}
    return world.identity.exchange(
        form, app | {"ClientSecret": app["ClientSecret"] or "public"}, issuer=issuer
    )


def _disconnect(world: XeroEmulator, body: dict[str, Any]) -> dict[str, Any]:
    tenant = world.pick(body.get("organisation"))
    gone = [key for key, row in world.identity.rows("connections").items() if row["TenantID"] == tenant]
    for key in gone:
        world.identity.remove("connections", key)
    return {"organisation": tenant, "disconnected": len(gone)}


def _organisation(world: XeroEmulator, body: dict[str, Any]) -> dict[str, Any]:
    is_demo, scenario = body.get("is_demo"), _text(body, "scenario", "empty")
    if scenario not in ("empty", "demo"):
        raise ControlError("scenario of one organisation is empty or demo.")
    name = _text(body, "name", "New Organisation")
    tenant = world.open(
        name, version=_text(body, "version", "NZ"), is_demo=None if is_demo is None else bool(is_demo)
    )
    if scenario == "demo":
        world.fill(tenant, 0)
    return {"id": tenant, "name": name}


def _practice(world: XeroEmulator, body: dict[str, Any]) -> dict[str, Any]:
    key, name = make_guid(world.dice), _text(body, "name", "Ledger & Partners")
    world.identity.put("practices", key, {"Name": name})
    return {"id": key, "name": name}


def _day(body: dict[str, Any], name: str = "date") -> date | None:
    value = body.get(name)
    try:
        return None if value is None else date.fromisoformat(str(value))
    except ValueError:
        raise ControlError(f"{name} must be a date such as 2026-01-31.") from None


def _bookkeeper(world: XeroEmulator, body: dict[str, Any]) -> dict[str, Any]:
    books = world.books[world.pick(body.get("organisation"))]
    action = _text(body, "action")
    known = _actions(world, books, body)
    if action not in known:
        raise ControlError(f"There is no action {action!r}. Known: {', '.join(known)}.")
    known[action]()
    if books.events:
        events, books.events = books.events, []
        linked = {row["ClientID"] for row in world.identity.rows("connections").values()}
        world.webhooks.notice(books.organisation_id, events, connected=linked)
    return {"organisation": books.organisation_id, "done": action}


def _actions(world: XeroEmulator, books: Books, body: dict[str, Any]) -> dict[str, Callable[[], None]]:
    store = world.store

    def due() -> None:
        day = _day(body)
        if day is None:
            raise ControlError("date must be given.")
        bookkeeper.set_due_date(store, books, key=_text(body, "id"), day=day)

    return {
        "lock_period": lambda: bookkeeper.set_lock(store, books, day=_day(body)),
        "lock_year": lambda: bookkeeper.set_lock(store, books, day=_day(body), name="EndOfYearLockDate"),
        "reconcile": lambda: bookkeeper.reconcile(store, books, key=_text(body, "id"), is_reconciled=True),
        "unreconcile": lambda: bookkeeper.reconcile(store, books, key=_text(body, "id"), is_reconciled=False),
        "merge_contacts": lambda: bookkeeper.merge_contacts(
            store, books, winner=_text(body, "winner"), loser=_text(body, "loser")
        ),
        "set_due_date": due,
        "rename_account": lambda: bookkeeper.rename_account(
            store, books, key=_text(body, "id"), code=_text(body, "code")
        ),
        "set_access": lambda: bookkeeper.set_access(store, books, access=_text(body, "access")),
    }


Handler = Callable[[Request], Any]


def _save_webhook(world: XeroEmulator) -> Handler:
    async def handle(request: Request) -> Response:
        if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return JSONResponse({"error": "Control calls from other sites are refused."}, status_code=403)
        try:
            subscription = _subscription(load(await request.body() or b"{}"))
        except (ControlError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        world.webhooks.subscriptions[subscription.client_id] = subscription
        await world.webhooks.ask_intent(subscription)
        return JSONResponse(subscription.describe() | {"key": subscription.key})

    return handle


def _subscription(body: Any) -> Subscription:
    if not isinstance(body, dict):
        raise ControlError("The body must be a JSON object.")
    url = _text(body, "url")
    if urlsplit(url).scheme not in URL_SCHEMES:
        raise ControlError("url must be an http or https address.")
    categories = body.get("categories", list(CATEGORIES))
    if not isinstance(categories, list) or any(one not in CATEGORIES for one in categories):
        raise ControlError(f"categories are {', '.join(CATEGORIES)}.")
    delay = body.get("delay_seconds", 0)
    if isinstance(delay, bool) or not isinstance(delay, int) or delay < 0:
        raise ControlError("delay_seconds must be a whole number, 0 or more.")
    return Subscription(
        client_id=_text(body, "client_id", DEFAULT_CLIENT_ID),
        url=url,
        key=_text(body, "key", secrets.token_urlsafe(32)),
        categories=tuple(categories),
        duplicate=bool(body.get("duplicate")),
        shuffle=bool(body.get("shuffle")),
        drop=bool(body.get("drop")),
        delay_seconds=float(delay),
    )


def _flush(world: XeroEmulator) -> Handler:
    async def handle(request: Request) -> Response:
        is_all = request.query_params.get("all", "").lower() == "true"
        return JSONResponse({"sent": await world.webhooks.flush(everything=is_all)})

    return handle
