"""From ours to theirs: a canonical record of ours with every reference resolved into the provider's ids.

A line that was sent before keeps the account it has in the ledger, whatever the mapping says today: saving a mapping
never rewrites history (requirement §2). A document that goes out again uses the mapping version it was sent with for
every coding it already had; only a coding that is new to it takes the mapping as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sync.dimensions import DimensionTable
from sync.errors import DocumentInvalid, MappingBroken, MappingMissing, PartyMissing
from sync.jobs import job_moved
from sync.lines import paired_lines
from sync.mapping import (
    PROFILE_WORDS,
    AccountSource,
    MappingTable,
    Profile,
    job_subject,
    profile_of_line,
)
from sync.records import Canonical, Entity
from sync.tax_codes import TaxCode, tax_code_of

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
# Who names a record that may come in after it: what is named → the entity that names it, its list, and the key there.
NAMED_BY: Mapping[Entity, tuple[Entity, str, str]] = {
    **{target: (entity, "applications", key) for entity, (key, target) in APPLIED_TO.items()},
    Entity.PAYMENT: (Entity.DEPOSIT, "lines", "payment"),
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
    # Which names of the ledger took the place of names of ours that were merged away.
    merged: Mapping[Reference, str] = field(default_factory=dict)
    code_names: Mapping[str, str] = field(default_factory=dict)
    dimensions: DimensionTable = field(default_factory=DimensionTable)
    tax_codes: Sequence[TaxCode] = ()

    def extras(
        self, entity: Entity, line: Mapping[str, Any], *, before: Canonical | None, label: str
    ) -> Canonical:
        """Return what a line carries besides its account; a line the ledger has keeps what it has there.

        Raises DimensionMissing where a job or code is not in the ledger's lists yet.
        """
        made: Canonical = self.dimensions.of_line(line, before=before, label=label)
        code = tax_code_of(self.tax_codes, entity, line.get("role") or "work") if before is None else None
        return made | ({"tax_code": code} if code is not None else {})

    def remote_id(self, reference: Reference, *, label: str) -> str:
        """Return the provider's id of a record of ours; raises PartyMissing where it has none yet."""
        found = self.remote_ids.get(reference)
        if found is None:
            entity, record_id = reference
            subject = f"the {entity.value.replace('_', ' ')} {self.names.get(reference, record_id)}"
            key, winner = f"{entity.value}:{record_id}", self.merged.get(reference)
            if winner is not None:
                raise PartyMissing(
                    f"{label} waits because {subject} was merged into “{winner}” in {self.provider_title}. Choose that one on"
                    " the document; it is sent by itself.",
                    key=key,
                )
            raise PartyMissing(label=label, subject=subject, provider=self.provider_title, key=key)
        return found

    def account(
        self, entity: Entity, line: Mapping[str, Any], *, label: str, mapping: MappingTable | None = None
    ) -> tuple[str, AccountSource]:
        """Return the account a line is booked on and where it comes from; raises MappingMissing without one.

        It is looked up in the mapping as it is now, or in an older version of it.
        """
        table = self.mapping if mapping is None else mapping
        profile, key = profile_of_line(entity, role=line.get("role") or "work", cost_code_id=line.get("code"))
        found = table.find(profile, key, job_id=line.get("job"))
        if found is None:
            raise self._unmapped(entity, line, table, label=label)
        return found

    def keeps_account(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
        """Whether a line that was sent is still coded as it was, so that it keeps the account it has."""
        # Another job is another account only where jobs have defaults.
        is_moved = self.mapping.has_job_defaults and job_moved(before, now)
        return same_coding(before, now) and not is_moved

    def _unmapped(
        self, entity: Entity, line: Mapping[str, Any], table: MappingTable, *, label: str
    ) -> MappingMissing:
        role, code = line.get("role") or "work", line.get("code")
        profile, key = profile_of_line(entity, role=role, cost_code_id=code)
        subject = f"cost code {self.code_names.get(key, key)}" if key else f"{role.replace('_', ' ')}"
        if code is None and role == "work":
            subject = f"the line “{line.get('description') or 'without text'}” (it has no cost code)"
        broken = _broken(table, profile, key, line.get("job"))
        return (MappingBroken if broken else MappingMissing)(
            label=label,
            subject=subject,
            profile=PROFILE_WORDS[profile],
            key=key or role,
            line=line.get("description"),
            account=broken,
            provider=self.provider_title,
        )


def _broken(table: MappingTable, profile: Profile, key: str | None, job_id: str | None) -> str | None:
    """Name the account that this key, or the default that answers for it, has lost."""
    subjects = (key, job_subject(job_id) if job_id is not None else None, None)
    return next((table.broken[profile, each] for each in subjects if (profile, each) in table.broken), None)


@dataclass(slots=True)
class Sent:
    """What a document was when both sides last agreed, and, filled while it is resolved, what its lines go out under.

    `line_versions` has our line keys with the mapping version that gave each its account; `tables` the older versions
    among them.
    """

    base_ours: Canonical | None = None
    base_theirs: Canonical | None = None
    line_versions: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, MappingTable] = field(default_factory=dict)
    going_out: dict[str, str] = field(default_factory=dict)

    def pairs(self) -> dict[str, tuple[Canonical, Canonical]]:
        """Pair the lines as they were last agreed on: our line key → (our line, their line). What is certain only."""
        return {
            mine["key"]: (mine, theirs)
            for mine, theirs in paired_lines(self.base_ours, self.base_theirs)
            if mine.get("key")
        }

    def table_for(self, line: Mapping[str, Any]) -> MappingTable | None:
        """Return the version that this coding went out under in this document, or None where it is new to it."""
        for before in (self.base_ours or {}).get("lines") or []:
            version = self.line_versions.get(before.get("key") or "", "")
            if version in self.tables and same_coding(before, line):
                return self.tables[version]
        return None

    def note(self, line: Mapping[str, Any], version_id: str | None) -> None:
        """Remember under which version a line goes out; a line whose account came from the ledger has none."""
        if line.get("key") and version_id is not None:
            self.going_out[line["key"]] = version_id


def same_coding(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Say whether two lines of ours are coded alike: what else changed does not move a line to another account."""
    return before.get("code") == now.get("code") and (before.get("role") or "work") == (
        now.get("role") or "work"
    )


def to_ledger(
    entity: Entity,
    ours: Canonical,
    *,
    label: str,
    resolver: Resolver,
    sent: Sent | None = None,
) -> Canonical:
    """Return the record in the provider's dialect. Raises a Held error naming what it waits for."""
    sent = sent or Sent()
    theirs: Canonical = {
        k: v for k, v in ours.items() if k not in ("lines", "applications", "party", "account")
    }
    if entity in PARTY:
        theirs["party"] = (
            resolver.remote_id((PARTY[entity], ours["party"]), label=label) if ours.get("party") else None
        )
    if entity in (Entity.INVOICE, Entity.BILL):
        pairs = sent.pairs()
        theirs["lines"] = [
            _document_line(entity, line, (sent, pairs), label=label, resolver=resolver)
            for line in ours["lines"]
        ]
        _must_add_up(ours, label=label)
    elif entity is Entity.JOURNAL_ENTRY:
        pairs = sent.pairs()
        theirs["lines"] = [
            _journal_line(line, (sent, pairs), label=label, resolver=resolver) for line in ours["lines"]
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


Pairs = Mapping[str, tuple[Canonical, Canonical]]


def _line_account(
    entity: Entity, line: Mapping[str, Any], history: tuple[Sent, Pairs], *, label: str, resolver: Resolver
) -> Canonical:
    """Return the account of a coded line: the ledger's own for a line it has, its document's version, or the newest.

    A line that is looked up anew says where its account came from; the attempt keeps it as evidence.
    """
    sent, pairs = history
    known = pairs.get(line.get("key") or "")
    if known and resolver.keeps_account(known[0], line):
        sent.note(line, sent.line_versions.get(line["key"]))
        return {"account": known[1]["account"]}
    table = sent.table_for(line)
    account, source = resolver.account(entity, line, label=label, mapping=table)
    sent.note(line, (table or resolver.mapping).version_id)
    return {"account": account, "account_from": source}


def _document_line(
    entity: Entity,
    line: Mapping[str, Any],
    history: tuple[Sent, Pairs],
    *,
    label: str,
    resolver: Resolver,
) -> Canonical:
    known = history[1].get(line.get("key") or "")
    return {
        "id": known[1].get("id") if known else None,
        "description": line.get("description") or "",
        "amount": line["amount"],
        "quantity": line.get("quantity"),
        "unit_price": line.get("unit_price"),
        **_line_account(entity, line, history, label=label, resolver=resolver),
        **resolver.extras(entity, line, before=known[0] if known else None, label=label),
    }


def _journal_line(
    line: Mapping[str, Any], history: tuple[Sent, Pairs], *, label: str, resolver: Resolver
) -> Canonical:
    known = history[1].get(line.get("key") or "")
    if line.get("account"):
        booked: Canonical = {"account": resolver.remote_id((Entity.ACCOUNT, line["account"]), label=label)}
    else:
        booked = _line_account(Entity.JOURNAL_ENTRY, line, history, label=label, resolver=resolver)
    party_kind, party = None, None
    for kind, target in (("client", Entity.CUSTOMER), ("vendor", Entity.VENDOR)):
        if line.get(kind):
            party_kind, party = target.value, resolver.remote_id((target, line[kind]), label=label)
    extras = resolver.extras(Entity.JOURNAL_ENTRY, line, before=known[0] if known else None, label=label)
    job = extras.get("dimensions", {}).get("sub_customer")
    if job is not None and party is None:
        party_kind, party = Entity.CUSTOMER.value, resolver.dimensions.parent_of(job)
    elif known and all(known[0].get(kind) == line.get(kind) for kind in ("client", "vendor")):
        # A line keeps whom it names in the ledger, a job among them.
        party_kind, party = known[1].get("party_kind"), known[1].get("party")
    return {
        "id": known[1].get("id") if known else None,
        "description": line.get("description") or "",
        "debit": line["debit"],
        "credit": line["credit"],
        "party_kind": party_kind,
        "party": party,
        **booked,
        **extras,
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
