"""What a bookkeeper or a bank does behind an integration's back: merges, clearing, half a page."""

from __future__ import annotations

from typing import Any

from sandbox.kernel import wire
from sandbox.kernel.emulator import ControlError
from sandbox.kernel.ledger import Posting
from sandbox.quickbooks.change import changing
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Body, Effects, Record

STATES = ("Cleared", "Reconciled", "Uncleared")
MERGEABLE = {"Customer": "CustomerRef", "Vendor": "VendorRef"}


def truncated(body: bytes) -> bytes:
    """Return a query answer with its second half missing and its counts untouched."""
    try:
        answer = wire.loads(body)
    except wire.BadJsonError:
        return body
    inner: Body = (answer.get("QueryResponse") if isinstance(answer, dict) else None) or {}
    for name, rows in inner.items():
        if isinstance(rows, list):
            inner[name] = rows[: len(rows) // 2]
    return wire.dumps(answer)


def mark_cleared(
    company: Company, entity: str, number: str, state: str, *, account: str | None = None
) -> None:
    """Note what the bank feed says of a transaction, or of its line on one account; reports show it."""
    if state not in STATES:
        raise ControlError(f"state is one of {', '.join(STATES)}.")
    if company.find(entity, number) is None:
        raise ControlError(f"{company.realm} has no {entity} {number}.")
    with company.store.transaction():
        key = f"{entity}:{number}:{account}" if account else f"{entity}:{number}"
        company.store.put(company.path("_cleared"), key, state)


def merge_names(company: Company, entity: str, *, keep: str, lose: str) -> list[tuple[str, str, str]]:
    """Merge one customer or vendor into another: documents move, the loser is deleted for CDC."""
    field = MERGEABLE.get(entity)
    if field is None:
        raise ControlError(f"Only {' and '.join(MERGEABLE)} can be merged.")
    winner, loser = company.find(entity, keep), company.find(entity, lose)
    if winner is None or loser is None or keep == lose:
        raise ControlError(f"Both {entity} {keep} and {entity} {lose} must be there, and differ.")
    if company.children.get((entity, lose)):
        raise ControlError(f"{entity} {lose} has jobs; move them first.")
    ref = {"value": keep, "name": winner.body["DisplayName"]}
    with changing(company) as change:
        for other, table in list(company.tables.items()):
            for record in list(table.rows.values()) if not other.startswith("_") else []:
                if _speaks_of(record, field, lose, f"{entity}:{lose}"):
                    body = _renamed(record.body, field, lose, ref)
                    effects = _moved(record.effects, f"{entity}:{lose}", f"{entity}:{keep}")
                    change.put(other, body, old=record, effects=effects)
        change.finish()
        current = company.find(entity, lose)
        if current is not None:
            change.remove(entity, current)
        change.events = [(entity, keep, f"Merge:{lose}")]
    return change.events


def _speaks_of(record: Record, field: str, number: str, party: str) -> bool:
    if (record.body.get(field) or {}).get("value") == number:
        return True
    if any(posting.party == party for posting in record.effects.postings):
        return True
    return field == "CustomerRef" and any(
        ((line.get(line.get("DetailType", "")) or {}).get(field) or {}).get("value") == number
        for line in record.body.get("Line") or []
    )


def _renamed(value: Any, field: str, number: str, ref: Body) -> Any:
    if isinstance(value, list):
        return [_renamed(each, field, number, ref) for each in value]
    if not isinstance(value, dict):
        return value
    renamed: Body = {}
    for name, each in value.items():
        is_name = (
            name in (field, "EntityRef", "Entity") and isinstance(each, dict) and each.get("value") == number
        )
        renamed[name] = {**each, **ref} if is_name else _renamed(each, field, number, ref)
    return renamed


def _moved(effects: Effects, old: str, new: str) -> Effects:
    postings = tuple(
        Posting(p.account, p.amount, new if p.party == old else p.party, p.memo) for p in effects.postings
    )
    return effects._replace(postings=postings)
