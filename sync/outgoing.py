"""From ours to theirs: a canonical record of ours with every reference resolved into the provider's ids.

A line that was sent before keeps the account it has in the ledger, whatever the mapping says today: saving a mapping
never rewrites history (requirement §2). New and re-coded lines take the mapping as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sync.errors import DocumentInvalid, MappingMissing, PartyMissing
from sync.lines import paired_lines
from sync.mapping import PROFILE_WORDS, MappingTable, profile_of_line
from sync.records import Canonical, Entity

Reference = tuple[Entity, str]

PARTY: Mapping[Entity, Entity] = {
    Entity.INVOICE: Entity.CUSTOMER,
    Entity.BILL: Entity.VENDOR,
    Entity.PAYMENT: Entity.CUSTOMER,
    Entity.BILL_PAYMENT: Entity.VENDOR,
}
APPLIED_TO: Mapping[Entity, tuple[str, Entity]] = {
    Entity.PAYMENT: ("invoice", Entity.INVOICE),
    Entity.BILL_PAYMENT: ("bill", Entity.BILL),
}


def references(entity: Entity, canonical: Canonical) -> Iterator[Reference]:
    """Yield every record that this record names, in whichever dialect it is written."""
    if entity in PARTY and canonical.get("party"):
        yield PARTY[entity], canonical["party"]
    if entity in APPLIED_TO:
        key, target = APPLIED_TO[entity]
        yield from ((target, item[key]) for item in canonical.get("applications") or [])
    if entity is Entity.DEPOSIT and canonical.get("account"):
        yield Entity.ACCOUNT, canonical["account"]
    for line in canonical.get("lines") or []:
        yield from _line_references(entity, line)


def _line_references(entity: Entity, line: Mapping[str, Any]) -> Iterator[Reference]:
    if entity is Entity.DEPOSIT and line.get("payment"):
        yield Entity.PAYMENT, line["payment"]
    if entity is Entity.JOURNAL_ENTRY:
        for name, target in (
            ("account", Entity.ACCOUNT),
            ("client", Entity.CUSTOMER),
            ("vendor", Entity.VENDOR),
        ):
            if line.get(name):
                yield target, line[name]
        if line.get("party") and line.get("party_kind"):
            yield Entity(line["party_kind"]), line["party"]


@dataclass(frozen=True, slots=True)
class Resolver:
    """What turning ours into theirs needs: linked ids, names for sentences, the mapping, and what was sent before."""

    provider_title: str
    mapping: MappingTable
    remote_ids: Mapping[Reference, str]
    names: Mapping[Reference, str] = field(default_factory=dict)
    code_names: Mapping[str, str] = field(default_factory=dict)

    def remote_id(self, reference: Reference, *, label: str) -> str:
        """Return the provider's id of a record of ours; raises PartyMissing where it has none yet."""
        found = self.remote_ids.get(reference)
        if found is None:
            entity, record_id = reference
            subject = f"the {entity.value.replace('_', ' ')} {self.names.get(reference, record_id)}"
            raise PartyMissing(
                label=label, subject=subject, provider=self.provider_title, key=f"{entity.value}:{record_id}"
            )
        return found

    def account(self, entity: Entity, line: Mapping[str, Any], *, label: str) -> str:
        """Return the account a document line is booked on; raises MappingMissing where nothing is mapped."""
        role, code = line.get("role") or "work", line.get("code")
        account = self.mapping.account_for_line(entity, role=role, cost_code_id=code)
        if account is None:
            profile, key = profile_of_line(entity, role=role, cost_code_id=code)
            subject = f"cost code {self.code_names.get(key, key)}" if key else f"{role.replace('_', ' ')}"
            if code is None and role == "work":
                subject = f"the line “{line.get('description') or 'without text'}” (it has no cost code)"
            raise MappingMissing(
                label=label,
                subject=subject,
                profile=PROFILE_WORDS[profile],
                key=key or role,
                line=line.get("description"),
            )
        return account


def to_ledger(
    entity: Entity,
    ours: Canonical,
    *,
    label: str,
    resolver: Resolver,
    base_ours: Canonical | None = None,
    base_theirs: Canonical | None = None,
) -> Canonical:
    """Return the record in the provider's dialect. Raises a Held error naming what it waits for."""
    theirs: Canonical = {
        k: v for k, v in ours.items() if k not in ("lines", "applications", "party", "account")
    }
    if entity in PARTY:
        theirs["party"] = (
            resolver.remote_id((PARTY[entity], ours["party"]), label=label) if ours.get("party") else None
        )
    if entity in (Entity.INVOICE, Entity.BILL):
        sent = _sent_lines(base_ours, base_theirs)
        theirs["lines"] = [
            _document_line(entity, line, sent, label=label, resolver=resolver) for line in ours["lines"]
        ]
        _must_add_up(ours, label=label)
    elif entity is Entity.JOURNAL_ENTRY:
        sent = _sent_lines(base_ours, base_theirs)
        theirs["lines"] = [
            _journal_line(line, sent, label=label, resolver=resolver) for line in ours["lines"]
        ]
        _must_balance(ours, label=label)
    elif entity in APPLIED_TO:
        key, target = APPLIED_TO[entity]
        theirs["applications"] = [
            {key: resolver.remote_id((target, item[key]), label=label), "amount": item["amount"]}
            for item in ours.get("applications") or []
        ]
    elif entity is Entity.DEPOSIT:
        theirs["account"] = (
            resolver.remote_id((Entity.ACCOUNT, ours["account"]), label=label)
            if ours.get("account")
            else None
        )
        theirs["lines"] = [
            {
                **line,
                "payment": resolver.remote_id((Entity.PAYMENT, line["payment"]), label=label)
                if line.get("payment")
                else None,
            }
            for line in ours.get("lines") or []
        ]
    return theirs


def _sent_lines(
    base_ours: Canonical | None, base_theirs: Canonical | None
) -> dict[str, tuple[Canonical, Canonical]]:
    """Pair the lines as they were last agreed on: our line key → (our line, their line). What is certain only."""
    return {
        mine["key"]: (mine, theirs)
        for mine, theirs in paired_lines(base_ours, base_theirs)
        if mine.get("key")
    }


def _document_line(
    entity: Entity,
    line: Mapping[str, Any],
    sent: Mapping[str, tuple[Canonical, Canonical]],
    *,
    label: str,
    resolver: Resolver,
) -> Canonical:
    known = sent.get(line.get("key") or "")
    same_coding = known is not None and all(known[0].get(k) == line.get(k) for k in ("code", "role"))
    account = known[1]["account"] if known and same_coding else resolver.account(entity, line, label=label)
    return {
        "id": known[1].get("id") if known else None,
        "description": line.get("description") or "",
        "amount": line["amount"],
        "quantity": line.get("quantity"),
        "unit_price": line.get("unit_price"),
        "account": account,
    }


def _journal_line(
    line: Mapping[str, Any],
    sent: Mapping[str, tuple[Canonical, Canonical]],
    *,
    label: str,
    resolver: Resolver,
) -> Canonical:
    known = sent.get(line.get("key") or "")
    if line.get("account"):
        account = resolver.remote_id((Entity.ACCOUNT, line["account"]), label=label)
    elif known and known[0].get("code") == line.get("code"):
        account = known[1]["account"]
    else:
        account = resolver.account(Entity.JOURNAL_ENTRY, line, label=label)
    party_kind, party = None, None
    for kind, target in (("client", Entity.CUSTOMER), ("vendor", Entity.VENDOR)):
        if line.get(kind):
            party_kind, party = target.value, resolver.remote_id((target, line[kind]), label=label)
    return {
        "id": known[1].get("id") if known else None,
        "description": line.get("description") or "",
        "debit": line["debit"],
        "credit": line["credit"],
        "account": account,
        "party_kind": party_kind,
        "party": party,
    }


def _must_add_up(ours: Canonical, *, label: str) -> None:
    lines = sum((Decimal(line["amount"]) for line in ours["lines"]), Decimal(0))
    if lines != Decimal(ours["total"]):
        raise DocumentInvalid(
            label=label,
            reason=f"its lines add up to {lines:f} but its total says {Decimal(ours['total']):f}; correct one of them",
        )


def _must_balance(ours: Canonical, *, label: str) -> None:
    debit = sum((Decimal(line["debit"]) for line in ours["lines"]), Decimal(0))
    credit = sum((Decimal(line["credit"]) for line in ours["lines"]), Decimal(0))
    if debit != credit:
        raise DocumentInvalid(
            label=label,
            reason=f"its debits are {debit:f} and its credits {credit:f}; correct the lines so that both are equal",
        )
