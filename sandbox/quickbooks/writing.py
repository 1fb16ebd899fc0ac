"""Create, update, delete and void: one way in for single calls, batch items and seeding."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox.kernel.ledger import ZERO
from sandbox.kernel.wire import money
from sandbox.quickbooks import faults
from sandbox.quickbooks.change import Change
from sandbox.quickbooks.fields import clean
from sandbox.quickbooks.records import NOTHING, Body, Effects, Record
from sandbox.quickbooks.registry import READ_ONLY_ENTITIES, RULES
from sandbox.quickbooks.rules import SYSTEM_FIELDS, Draft, Rules
from sandbox.quickbooks.times import parse_date

UNCHANGING = frozenset({"SyncToken", "MetaData"})
SPARSE_REFERENCES = {
    "Bill": ("VendorRef",),
    "Purchase": ("PaymentType", "AccountRef"),
    "Deposit": ("DepositToAccountRef",),
}
OPEN_ENTITIES = frozenset({"Invoice", "CreditMemo", "Bill", "VendorCredit"})
# Recorded: a deposit adds its link to the payment but moves neither its SyncToken nor its LastUpdatedTime.
QUIET_SOURCES = frozenset({"Deposit"})


def save(change: Change, entity: str, raw: Any) -> Record:
    """Create, or update when an Id is given."""
    if isinstance(raw, dict) and raw.get("Id") not in (None, ""):
        return update(change, entity, raw)
    return create(change, entity, raw)


def create(change: Change, entity: str, raw: Any, *, is_clean: bool = False) -> Record:
    """Create an object; `is_clean` spares a body of our own making the check against the schema."""
    rules = RULES[entity]
    if entity in READ_ONLY_ENTITIES or (rules.id_space == "Txn" and entity in ("CompanyInfo", "Preferences")):
        raise faults.unsupported(f"Operation create is not supported for {entity}")
    cleaned = raw if is_clean else clean(entity, raw)
    body = {
        name: value
        for name, value in cleaned.items()
        if value is not None and name not in SYSTEM_FIELDS and name not in rules.read_only
    }
    draft = Draft(change, entity, body, None, frozenset(cleaned))
    rules.complete(draft)
    refuse_closed(draft, draft.on)
    body["Id"] = rules.fresh_id(change)
    record = change.put(entity, body, old=None, effects=draft.effects())
    refresh_targets(change, None, record, entity)
    return record


def update(change: Change, entity: str, raw: Body) -> Record:
    """Update an object, fully or sparsely; one that changes nothing leaves it untouched."""
    rules = RULES[entity]
    if entity in READ_ONLY_ENTITIES:
        raise faults.unsupported(f"Operation update is not supported for {entity}")
    old = present(change, entity, raw)
    cleaned = clean(entity, raw)
    is_sparse = str(raw.get("sparse", "false")).lower() == "true" or entity == "Preferences"
    if is_sparse and change.company.switch("sparse_references") == "required" and not change.is_own_hand:
        for name in SPARSE_REFERENCES.get(entity, ()):
            if cleaned.get(name) is None:
                raise faults.required(name)
    body = merge(rules, old, cleaned, is_sparse=is_sparse)
    draft = Draft(
        change, entity, body, old, frozenset(name for name, value in cleaned.items() if value is not None)
    )
    if not is_sparse and entity == "CompanyInfo":
        body["CompanyName"] = body.get("CompanyName") or old.body["CompanyName"]
    rules.complete(draft)
    if is_same(body, old.body) and draft.effects()[:3] == old.effects[:3]:
        return old
    refuse_matched(change, entity, old)
    refuse_closed(draft, old.effects.on)
    refuse_closed(draft, draft.on)
    record = change.put(entity, body, old=old, effects=draft.effects())
    refresh_targets(change, old, record, entity)
    return record


def delete(change: Change, entity: str, raw: Any) -> Body:
    """Delete a transaction for good; return the stub QuickBooks answers with."""
    rules = RULES[entity]
    if not rules.can_delete:
        raise faults.unsupported(f"Operation delete is not supported for {entity}")
    if not isinstance(raw, dict):
        raise faults.unparsable(entity, entity, raw)
    old = present(change, entity, raw)
    needs_full = entity == "Attachable" and change.company.switch("attachable_delete") == "full"
    if needs_full and not {"Note", "FileName", "AttachableRef"} & set(raw):
        raise faults.required("AttachableRef")
    draft = Draft(change, entity, dict(old.body), old, frozenset())
    rules.check_removal(draft)
    refuse_matched(change, entity, old)
    refuse_closed(draft, old.effects.on)
    unlink_sources(change, entity, old)
    current = change.company.find(entity, old.id)
    change.remove(entity, current or old)
    refresh_targets(change, old, None, entity)
    return {"status": "Deleted", "domain": "QBO", "Id": old.id}


def void(change: Change, entity: str, raw: Any) -> Record:
    """Void a transaction: it stays, with nothing left in it."""
    rules = RULES[entity]
    if not isinstance(raw, dict):
        raise faults.unparsable(entity, entity, raw)
    if not rules.void_style:
        raise faults.unsupported(f"Operation void is not supported for {entity}")
    old = present(change, entity, raw)
    if old.effects.hidden.get("void"):
        return old
    draft = Draft(change, entity, dict(old.body), old, frozenset())
    if entity != "Invoice":
        rules.check_removal(draft)
    refuse_closed(draft, old.effects.on)
    unlink_sources(change, entity, old)
    old = change.company.find(entity, old.id) or old
    draft.body = dict(old.body)
    rules.voided(draft)
    effects = Effects(old.effects.on, (), (), old.effects.keys, {"void": True})
    record = change.put(entity, draft.body, old=old, effects=effects, event="Void")
    refresh_targets(change, old, record, entity)
    return record


def refuse_matched(change: Change, entity: str, record: Record) -> None:
    """6480 for a journal entry that the bank feed has matched."""
    if entity != "JournalEntry":
        return
    state = change.company.store.get(change.company.path("_cleared"), f"{entity}:{record.id}")
    if state in ("Cleared", "Reconciled") and not change.is_own_hand:
        raise faults.FaultError(
            "6480",
            "Transaction matched to a downloaded transaction",
            "You can't change or delete a transaction that has been matched to a bank transaction. Undo the match first.",
        )


def present(change: Change, entity: str, raw: Body) -> Record:
    """Return the object a request speaks of: 2030, 610 or 5010 when it cannot be had."""
    number = raw.get("Id")
    if number in (None, ""):
        raise faults.required("Id")
    if isinstance(number, bool | dict | list):
        raise faults.invalid_id("Id", number)
    token = raw.get("SyncToken")
    if token in (None, ""):
        raise faults.required("SyncToken")
    record = change.company.find(entity, str(number))
    if record is None:
        if not str(number).lstrip("-").isdecimal():
            raise faults.invalid_id("Id", number)
        raise faults.not_found()
    if str(token) != record.body["SyncToken"]:
        raise faults.stale()
    return record


def merge(rules: Rules, old: Record, cleaned: Body, *, is_sparse: bool) -> Body:
    """Lay a request over what is there: sparse keeps what is not sent, full clears it."""
    fixed = SYSTEM_FIELDS | rules.read_only
    sent = {name: value for name, value in cleaned.items() if name not in fixed}
    if is_sparse:
        body = {**old.body, **sent}
    else:
        body = {**{name: old.body[name] for name in fixed if name in old.body}, **sent}
    return {name: value for name, value in body.items() if value is not None}


def is_same(new: Body, old: Body) -> bool:
    """Return whether nothing a reader could see has changed."""
    names = (new.keys() | old.keys()) - UNCHANGING
    return all(new.get(name) == old.get(name) for name in names)


def refuse_closed(draft: Draft, on: date | None) -> None:
    """6210 for a date on or before the closing date."""
    if on is None:
        return
    closing = draft.company.preference("AccountingInfoPrefs", "BookCloseDate")
    closed = parse_date(closing) if closing else None
    if closed is not None and on <= closed:
        raise faults.period_closed(closed.isoformat())


def unlink_sources(change: Change, entity: str, record: Record) -> None:
    """Take a transaction out of everything that settles it; payments get the amount back as unapplied."""
    for source_entity, number in list(change.company.applied(entity, record.id)):
        source = change.company.find(source_entity, number)
        if source is None:
            continue
        lines = [
            line
            for line in source.body.get("Line") or []
            if not any(
                link.get("TxnId") == record.id and link.get("TxnType") == entity
                for link in line.get("LinkedTxn") or []
            )
        ]
        rules = RULES[source_entity]
        if source_entity == "Bill":
            lines = [{**line, "LinkedTxn": []} for line in source.body["Line"]]
        body = {**source.body, "Line": lines}
        draft = Draft(change, source_entity, body, source, frozenset())
        if source_entity in ("Payment", "BillPayment"):
            _recompute(draft, rules)
        else:
            rules.complete(draft)
        change.put(source_entity, body, old=source, effects=draft.effects())


def _recompute(draft: Draft, rules: Rules) -> None:
    """Complete a settlement whose line was taken away, deposited or not."""
    postings = [p for p in draft.old.effects.postings if p.party is None] if draft.old else []
    from sandbox.quickbooks.payments import SettlementRules

    if not isinstance(rules, SettlementRules):
        raise TypeError(f"{rules.entity} settles nothing")
    hidden = dict(draft.old.effects.hidden) if draft.old else {}
    draft.hidden = hidden
    draft.on = draft.old.effects.on if draft.old else None
    draft.keys = list(draft.old.effects.keys) if draft.old else []
    draft.postings = postings
    debts, credited = rules.settle_lines(draft)
    rest = draft.body["TotalAmt"] - debts + credited
    party = draft.body[rules.party_field]["value"]
    if rules.party_entity == "Customer":
        draft.body["UnappliedAmt"] = money(rest)
        draft.post(hidden["ar"], -rest, f"Customer:{party}")
    else:
        draft.post(hidden["ap"], rest, f"Vendor:{party}")


def refresh_targets(change: Change, old: Record | None, new: Record | None, entity: str) -> None:
    """Bring open balances and LinkedTxn of everything a settlement touches up to date."""
    before = {(link.entity, link.id): link.amount for link in (old.effects if old else NOTHING).links}
    after = {(link.entity, link.id): link.amount for link in (new.effects if new else NOTHING).links}
    for target_entity, number in dict.fromkeys((*before, *after)):
        if before.get((target_entity, number)) == after.get((target_entity, number)) and old and new:
            continue
        record = change.company.find(target_entity, number)
        if record is not None:
            _refresh(change, target_entity, record, bumps=entity not in QUIET_SOURCES)
    if entity == "Invoice" and new is not None:
        _mark_estimates(change, new)


def _refresh(change: Change, entity: str, record: Record, *, bumps: bool) -> None:
    applied = change.company.applied(entity, record.id)
    body = dict(record.body)
    links = [{"TxnId": number, "TxnType": _link_name(source)} for source, number in applied]
    kept = [
        link
        for link in body.get("LinkedTxn") or []
        if link["TxnType"] in ("Estimate", "PurchaseOrder", "TimeActivity")
    ]
    settled = sum((amount for (source, _), amount in applied.items() if source != "Deposit"), ZERO)
    if entity in OPEN_ENTITIES:
        body["Balance"] = money(body["TotalAmt"] - body.get("Deposit", ZERO) - settled)
        if "RemainingCredit" in body:
            body["RemainingCredit"] = body["Balance"]
    if entity == "PurchaseOrder":
        body["POStatus"] = "Closed" if applied and settled >= body["TotalAmt"] else "Open"
    if kept or links or entity in ("Invoice", "VendorCredit", "PurchaseOrder"):
        body["LinkedTxn"] = [*kept, *links]
    else:
        body.pop("LinkedTxn", None)
    change.refresh(entity, record, body, bumps=bumps)


def _link_name(source: str) -> str:
    return "BillPaymentCheck" if source == "BillPayment" else source


def _mark_estimates(change: Change, invoice: Record) -> None:
    for link in invoice.body.get("LinkedTxn") or []:
        if link["TxnType"] != "Estimate":
            continue
        record = change.company.find("Estimate", link["TxnId"])
        mine = {"TxnId": invoice.id, "TxnType": "Invoice"}
        if record is not None and mine not in record.body["LinkedTxn"]:
            body = {**record.body, "LinkedTxn": [*record.body["LinkedTxn"], mine], "TxnStatus": "Closed"}
            change.refresh("Estimate", record, body)
