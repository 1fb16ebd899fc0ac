"""Control routes only QuickBooks has: companies, clients, the bookkeeper's hand, mergers, clearing, webhooks."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from sandbox.kernel import wire
from sandbox.kernel.control import ControlCall
from sandbox.kernel.emulator import ControlError
from sandbox.quickbooks import writing
from sandbox.quickbooks.change import changing
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.faults import FaultError
from sandbox.quickbooks.mischief import mark_cleared, merge_names
from sandbox.quickbooks.oauth import CLIENTS
from sandbox.quickbooks.registry import BY_PATH

if TYPE_CHECKING:
    from sandbox.quickbooks.emulator import QuickBooks

Action = tuple[str, str, Callable[[ControlCall], Any]]


def control_actions(emulator: QuickBooks) -> list[Action]:
    """Return method, path and action of each route."""
    return [
        ("GET", "/companies", lambda _call: emulator.describe()["companies"]),
        ("POST", "/companies", lambda call: _add_company(emulator, call)),
        ("GET", "/clients", lambda _call: {"clients": sorted(emulator.store.rows(CLIENTS))}),
        ("POST", "/clients", lambda call: _add_client(emulator, call)),
        (
            "POST",
            "/revoke",
            lambda call: {"tokens": emulator.oauth.revoke_realm(_company(emulator, call).realm)},
        ),
        ("POST", "/close-books", lambda call: _close_books(emulator, call)),
        ("POST", "/act", lambda call: _act(emulator, call)),
        ("POST", "/merge", lambda call: _merge(emulator, call)),
        ("POST", "/clear", lambda call: _clear(emulator, call)),
        ("GET", "/objects/{realm}/{entity}", lambda call: _objects(emulator, call)),
        ("GET", "/objects/{realm}/{entity}/{id}", lambda call: _object(emulator, call)),
        ("GET", "/files/{realm}/{id}", lambda call: _file(emulator, call)),
        ("GET", "/trial-balance/{realm}", lambda call: _trial_balance(emulator, call)),
        ("GET", "/metering", lambda _call: emulator.meter.describe()),
        ("GET", "/webhooks", lambda _call: emulator.webhooks.describe()),
        ("POST", "/webhooks", lambda call: emulator.webhooks.subscribe(call.body)),
        ("POST", "/webhooks/deliver", lambda call: emulator.webhooks.deliver(call.body)),
        ("DELETE", "/webhooks", lambda _call: emulator.webhooks.reset()),
    ]


def _company(emulator: QuickBooks, call: ControlCall) -> Company:
    default = next(iter(emulator.companies), "") if len(emulator.companies) == 1 else ""
    realm = call.body.get("realm") or default
    if not realm:
        raise ControlError(f"Name the company: realm is one of {', '.join(emulator.companies)}.")
    return emulator.company(str(realm))


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value in (None, ""):
        raise ControlError(f"{name} is missing.")
    return str(value)


def _entity(text: str) -> str:
    entity = BY_PATH.get(text.lower())
    if entity is None:
        raise ControlError(f"There is no entity {text!r}.")
    return entity


def _add_company(emulator: QuickBooks, call: ControlCall) -> dict[str, Any]:
    realm = emulator.add_company(
        _text(call.body, "name"),
        realm=str(call.body.get("realm") or ""),
        scenario=str(call.body.get("scenario") or "contractor"),
        seed=int(call.body.get("seed") or 0),
    )
    return {"realm": realm, "name": call.body["name"]}


def _add_client(emulator: QuickBooks, call: ControlCall) -> dict[str, Any]:
    row = {"secret": _text(call.body, "secret"), "redirect_uris": call.body.get("redirect_uris") or []}
    with emulator.store.transaction():
        emulator.store.put(CLIENTS, _text(call.body, "id"), row)
    return {"clients": sorted(emulator.store.rows(CLIENTS))}


def _act(emulator: QuickBooks, call: ControlCall) -> Any:
    """Write as the bookkeeper would in the QuickBooks window: no token, no SyncToken needed."""
    body: dict[str, Any] = wire.loads(call.raw or b"{}")
    company = _company(emulator, call)
    entity = _entity(_text(body, "entity"))
    operation = str(body.get("operation") or "update")
    wanted = dict(body.get("body") or {})
    if operation != "create":
        number = str(body.get("id") or wanted.get("Id") or "")
        record = company.find(entity, number)
        if record is None:
            raise ControlError(f"{company.realm} has no {entity} {number}.")
        wanted = {"Id": number, "sparse": True, **wanted, "SyncToken": record.body["SyncToken"]}
    actions: dict[str, Callable[..., Any]] = {
        "create": writing.create, "update": writing.update, "delete": writing.delete, "void": writing.void,
    }  # fmt: skip
    if operation not in actions:
        raise ControlError(f"operation is one of {', '.join(actions)}.")
    try:
        with changing(company, allow_duplicate_numbers=True, is_own_hand=True) as change:
            result = actions[operation](change, entity, wanted)
    except FaultError as fault:
        raise ControlError(f"QuickBooks refuses: {fault.code} {fault.detail}") from fault
    emulator.announce(company, change.events)
    if isinstance(result, dict):
        return result
    fresh = company.find(entity, result.id) or result
    return Response(fresh.wire, media_type="application/json")


def _close_books(emulator: QuickBooks, call: ControlCall) -> dict[str, Any]:
    company = _company(emulator, call)
    prefs = {"AccountingInfoPrefs": {"BookCloseDate": call.body.get("date") or None}}
    record = company.find("Preferences", "1")
    if record is None:
        raise ControlError("The company has no preferences.")
    try:
        with changing(company) as change:
            writing.update(change, "Preferences", {"Id": "1", "SyncToken": record.body["SyncToken"], **prefs})
    except FaultError as fault:
        raise ControlError(f"date must be an ISO date: {fault.detail}") from fault
    return {"realm": company.realm, "closed_through": call.body.get("date") or None}


def _merge(emulator: QuickBooks, call: ControlCall) -> dict[str, Any]:
    company = _company(emulator, call)
    entity = _entity(_text(call.body, "entity"))
    events = merge_names(company, entity, keep=_text(call.body, "keep"), lose=_text(call.body, "lose"))
    emulator.announce(company, events)
    return {
        "kept": call.body["keep"],
        "lost": call.body["lost"] if "lost" in call.body else call.body["lose"],
    }


def _clear(emulator: QuickBooks, call: ControlCall) -> dict[str, Any]:
    company = _company(emulator, call)
    entity = _entity(_text(call.body, "entity"))
    state = str(call.body.get("state", "Cleared"))
    account = call.body.get("account")
    mark_cleared(company, entity, _text(call.body, "id"), state, account=str(account) if account else None)
    return {"entity": entity, "id": call.body["id"], "state": state}


def _object(emulator: QuickBooks, call: ControlCall) -> Response:
    company = emulator.company(call.part("realm"))
    entity = _entity(call.part("entity"))
    record = company.find(entity, call.part("id"))
    if record is None:
        raise ControlError(f"{company.realm} has no {entity} {call.part('id')}.")
    return Response(record.wire, media_type="application/json")


def _objects(emulator: QuickBooks, call: ControlCall) -> Response:
    company = emulator.company(call.part("realm"))
    rows = company.table(_entity(call.part("entity"))).rows.values()
    return Response(b"[" + b",".join(record.wire for record in rows) + b"]", media_type="application/json")


def _file(emulator: QuickBooks, call: ControlCall) -> Response:
    company = emulator.company(call.part("realm"))
    kept = company.store.get(company.path("_files"), call.part("id"))
    if kept is None:
        raise ControlError(f"{company.realm} has no uploaded file {call.part('id')}.")
    headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(base64.b64decode(kept["content"]), media_type=kept["kind"] or None, headers=headers)


def _trial_balance(emulator: QuickBooks, call: ControlCall) -> dict[str, Any]:
    company = emulator.company(call.part("realm"))
    sums = company.ledger.trial_balance()
    accounts = company.table("Account").rows
    return {
        "realm": company.realm,
        "accounts": [
            {
                "id": number,
                "number": accounts[number].body.get("AcctNum"),
                "name": accounts[number].body["FullyQualifiedName"],
                "balance": str(amount),
            }
            for number, amount in sorted(sums.items(), key=lambda each: int(each[0]))
        ],
        "total": str(sum(sums.values())),
    }
