"""From theirs to ours: what the platform's tables are told when the ledger's values are taken.

Lines are matched by identity (the provider's line id, through the base), so a cost code that somebody chose stays on
its line; a line that is new in the ledger gets the one cost code its account is mapped to, or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sync.errors import PartyMissing
from sync.fields import FILLED_IN
from sync.lines import paired_lines
from sync.mapping import MappingTable, profile_of_line
from sync.money import amount_text
from sync.outgoing import APPLIED_TO, PARTY, Reference
from sync.records import Canonical, Entity


@dataclass(frozen=True, slots=True)
class BackResolver:
    """What turning theirs into ours needs: our ids of linked records and the mapping read backwards."""

    provider_title: str
    mapping: MappingTable
    record_ids: Mapping[Reference, str]
    names: Mapping[Reference, str]

    def record_id(self, reference: Reference, *, label: str) -> str:
        """Return our id of a provider's record; raises PartyMissing where it is not on the platform."""
        found = self.record_ids.get(reference)
        if found is None:
            entity, remote_id = reference
            name = self.names.get(reference, remote_id)
            raise PartyMissing(
                f"{label} in {self.provider_title} names the {entity.value.replace('_', ' ')} {name}, which is not on the"
                " platform. Add it here or link it; this one follows by itself.",
                key=f"{entity.value}:{remote_id}",
            )
        return found


def to_platform(
    entity: Entity,
    theirs: Canonical,
    *,
    label: str,
    resolver: BackResolver,
    base_ours: Canonical | None = None,
    base_theirs: Canonical | None = None,
    is_chosen: bool = False,
) -> Canonical:
    """Return the record in our dialect. Raises PartyMissing where a document names a party we do not have.

    What a ledger leaves out or fills in by itself stays as it was here, unless it changed there; where a person chose
    the ledger's values (`is_chosen`), only what the ledger says nothing about stays.
    """
    ours: Canonical = {
        k: v for k, v in theirs.items() if k not in ("lines", "applications", "party", "account")
    }
    ours |= _unchanged(theirs, base_ours, base_theirs, is_chosen=is_chosen)
    if entity in (Entity.INVOICE, Entity.BILL):
        ours["party"] = resolver.record_id((PARTY[entity], theirs["party"]), label=label)
        ours["lines"] = _document_lines(entity, theirs, resolver, base_ours, base_theirs)
    elif entity is Entity.JOURNAL_ENTRY:
        ours["lines"] = _journal_lines(theirs, resolver, base_ours, base_theirs, label=label)
    elif entity in APPLIED_TO:
        _receipt(entity, theirs, ours, resolver)
    elif entity is Entity.DEPOSIT:
        account = theirs.get("account")
        ours["account"] = resolver.record_ids.get((Entity.ACCOUNT, account)) if account else None
        ours["lines"] = [
            {
                **line,
                "payment": resolver.record_ids.get((Entity.PAYMENT, line["payment"]))
                if line.get("payment")
                else None,
            }
            for line in theirs.get("lines") or []
        ]
    return ours


def _unchanged(
    theirs: Canonical, base_ours: Canonical | None, base_theirs: Canonical | None, *, is_chosen: bool
) -> Canonical:
    """Return our values of what a ledger leaves out or fills in by itself and has not changed since."""
    if base_ours is None or base_theirs is None:
        return {}
    return {
        name: base_ours[name]
        for name in FILLED_IN & theirs.keys() & base_ours.keys() & base_theirs.keys()
        if theirs[name] == base_theirs[name] and not (is_chosen and theirs[name])
    }


def _receipt(entity: Entity, theirs: Canonical, ours: Canonical, resolver: BackResolver) -> None:
    # A party or document that lives only in the ledger is no reason to lose the money: the payment is kept, the part
    # that pays documents we do not have counts as unapplied here.
    party = theirs.get("party")
    ours["party"] = resolver.record_ids.get((PARTY[entity], party)) if party else None
    key, target = APPLIED_TO[entity]
    ours["applications"] = [
        {key: resolver.record_ids[(target, item[key])], "amount": item["amount"]}
        for item in theirs.get("applications") or []
        if (target, item[key]) in resolver.record_ids
    ]
    applied = sum((Decimal(item["amount"]) for item in ours["applications"]), Decimal(0))
    ours["unapplied"] = amount_text(Decimal(theirs["amount"]) - applied)


def _known_lines(
    base_ours: Canonical | None, base_theirs: Canonical | None
) -> dict[str, tuple[Canonical, Canonical]]:
    return {
        theirs["id"]: (mine, theirs)
        for mine, theirs in paired_lines(base_ours, base_theirs)
        if theirs.get("id")
    }


def _document_lines(
    entity: Entity,
    theirs: Canonical,
    resolver: BackResolver,
    base_ours: Canonical | None,
    base_theirs: Canonical | None,
) -> list[Canonical]:
    known = _known_lines(base_ours, base_theirs)
    lines = []
    for line in theirs["lines"]:
        mine, before = known.get(line.get("id") or "", (None, None))
        if mine is not None and before is not None and before.get("account") == line.get("account"):
            role, code = mine.get("role") or "work", mine.get("code")
        else:
            role, code = _coding(entity, line.get("account"), resolver.mapping, mine)
        lines.append(
            {
                "key": mine.get("key") if mine else None,
                "description": _text(line, mine, before),
                "amount": line["amount"],
                "quantity": line.get("quantity"),
                "unit_price": line.get("unit_price"),
                "code": code,
                "role": role,
                **_same_job(mine),
            }
        )
    return lines


def _text(line: Canonical, mine: Canonical | None, before: Canonical | None) -> str:
    """A line keeps the text it was sent with while the ledger says what it said then: some put one where there is none."""
    if mine is None or before is None or before.get("description") != line.get("description"):
        return line.get("description") or ""
    return mine.get("description") or ""


def _same_job(mine: Mapping[str, Any] | None) -> Canonical:
    """A line keeps the job it was sent with: the ledger does not speak of jobs in its canonical form."""
    return {"job": mine["job"]} if mine is not None and "job" in mine else {}


def _coding(
    entity: Entity, account: str | None, mapping: MappingTable, mine: Mapping[str, Any] | None
) -> tuple[str, str | None]:
    """Read the mapping backwards: the role and cost code of a line booked on this account."""
    if account is None:
        return "work", None
    retained, _ = profile_of_line(entity, role="retainage", cost_code_id=None)
    if mapping.is_default(retained, account):
        return "retainage", None
    role = "stored_materials" if mapping.codes_on("asset", account) else "work"
    profile, _ = profile_of_line(entity, role=role, cost_code_id="")
    codes = mapping.codes_on(profile, account)
    if mine is not None and mine.get("code") in codes:
        return role, mine["code"]
    return role, codes[0] if len(codes) == 1 else None


def _journal_lines(
    theirs: Canonical,
    resolver: BackResolver,
    base_ours: Canonical | None,
    base_theirs: Canonical | None,
    *,
    label: str,
) -> list[Canonical]:
    known = _known_lines(base_ours, base_theirs)
    lines = []
    for line in theirs["lines"]:
        mine, before = known.get(line.get("id") or "", (None, None))
        keeps_coding = (
            mine is not None and before is not None and before.get("account") == line.get("account")
        )
        party_kind, party = line.get("party_kind"), line.get("party")
        if mine is not None and before is not None and before.get("party") == party:
            # The ledger names a job's client on lines that name nobody here.
            named = {"client": mine.get("client"), "vendor": mine.get("vendor")}
        else:
            our_party = (
                resolver.record_id((Entity(party_kind), party), label=label) if party_kind and party else None
            )
            named = {
                "client": our_party if party_kind == "customer" else None,
                "vendor": our_party if party_kind == "vendor" else None,
            }
        lines.append(
            {
                "key": mine.get("key") if mine else None,
                "description": _text(line, mine, before),
                "debit": line["debit"],
                "credit": line["credit"],
                "account": mine.get("account")
                if mine and keeps_coding
                else resolver.record_id((Entity.ACCOUNT, line["account"]), label=label),
                "code": mine.get("code") if mine and keeps_coding else None,
                **named,
                **_same_job(mine),
            }
        )
    return lines
