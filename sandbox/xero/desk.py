"""Control routes for working inside Xero without a token: enter documents, look them up, read the balances.

What a person does in Xero's own window goes through the same rules as the API, but past tokens, scopes, limits and
idempotency keys.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.kernel.control import ControlCall, control_route
from sandbox.kernel.emulator import ControlError
from sandbox.xero.api import Incoming, split_path
from sandbox.xero.refusals import Refusal
from sandbox.xero.resource import Call
from sandbox.xero.wire import dump, load

if TYPE_CHECKING:
    from sandbox.xero.books import Books
    from sandbox.xero.world import XeroEmulator

METHODS = ("GET", "PUT", "POST", "DELETE")
ZERO = Decimal(0)


def routes(world: XeroEmulator) -> list[BaseRoute]:
    """The routes, below /_sandbox."""
    return [
        control_route("/act", lambda call: _act(world, call)),
        control_route(
            "/objects/{organisation}/{resource}/{id}", lambda call: _object(world, call), method="GET"
        ),
        control_route(
            "/trial-balance/{organisation}", lambda call: _trial_balance(world, call), method="GET"
        ),
    ]


def _act(world: XeroEmulator, call: ControlCall) -> Response:
    """`{"organisation", "method": "PUT", "path": "Invoices", "body": {...}}`, answered as the API would."""
    wanted: dict[str, Any] = load(call.raw or b"{}")
    method, path = wanted.get("method", "PUT"), wanted.get("path")
    if method not in METHODS or not isinstance(path, str):
        raise ControlError(
            f'act takes {{"path": "Invoices", "method": one of {", ".join(METHODS)}, "body": ...}}.'
        )
    books = world.books[world.pick(wanted.get("organisation"))]
    body = b"" if wanted.get("body") is None else dump(wanted["body"]).encode()
    return _inside(world, books, method=method, path=path, body=body)


def _object(world: XeroEmulator, call: ControlCall) -> Response:
    books = world.books[world.pick(call.part("organisation"))]
    return _inside(world, books, method="GET", path=f"{call.part('resource')}/{call.part('id')}", body=b"")


def _inside(world: XeroEmulator, books: Books, *, method: str, path: str, body: bytes) -> Response:
    made = Call(books=books, dice=world.dice, app_name="Xero", app_id="xero", noise=world.gateway.noise)
    incoming = Incoming(
        method=method,
        parts=split_path(path),
        body=body,
        media_type="application/json",
        modified_since=None,
        base_url="https://api.xero.com",
    )
    try:
        answer = world.gateway.committed(made, incoming)
    except Refusal as refusal:
        refused = world.gateway.refusal(refusal)
        text = bytes(refused.body).decode() or str(refused.status_code)
        raise ControlError(f"Xero refuses: {text}") from refusal
    return Response(answer.body or b"{}", media_type="application/json")


def _trial_balance(world: XeroEmulator, call: ControlCall) -> dict[str, Any]:
    books = world.books[world.pick(call.part("organisation"))]
    sums = books.ledger.trial_balance()
    accounts = [books["Accounts"].rows[key] for key in sums]
    return {
        "organisation": books.organisation_id,
        "accounts": [
            {
                "id": account["AccountID"],
                "number": account.get("Code"),
                "name": account["Name"],
                "balance": str(sums[account["AccountID"]]),
            }
            for account in sorted(accounts, key=lambda account: account.get("Code", ""))
        ],
        "total": str(sum(sums.values(), ZERO)),
    }
