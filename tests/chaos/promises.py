"""What must hold once faults have stopped and the world has settled; each broken promise is one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from tests.chaos.people import People
from tests.chaos.world import ChaosWorld
from tests.fakes.world import Platform

DOCUMENTS = (("bill", "v2_bills", "Bill"), ("invoice", "v2_invoices", "Invoice"))


def broken_promises(world: ChaosWorld, people: People) -> list[str]:
    """List every promise that does not hold."""
    return [
        *_doubled(world),
        *_lost(world),
        *_revived(world, people),
        *undecided(world),
        *_differing(world),
        *_unpaid(world),
        *_vanished(world, people),
        *_unbalanced(world),
    ]


def _live(world: ChaosWorld, entity: str) -> list[dict[str, object]]:
    return [row for row in world.ledger.all(entity) if row.get("TotalAmt")]


def _doubled(world: ChaosWorld) -> Iterator[str]:
    for _, _, entity in DOCUMENTS:
        descriptions: Counter[str] = Counter()
        for row in _live(world, entity):
            texts = {str(line.get("Description") or "") for line in row["Line"]}  # type: ignore[attr-defined]
            descriptions.update(text for text in texts if text.startswith("of "))
        for text, count in descriptions.items():
            if count > 1:
                yield f"doubled: {count} documents of type {entity} in the ledger come from one record ({text})"
    names = Counter(str(row["DisplayName"]).casefold() for row in world.ledger.all("Vendor"))
    for name, count in names.items():
        if count > 1:
            yield f"doubled: {count} vendors named {name}"


def _revived(world: ChaosWorld, people: People) -> Iterator[str]:
    live = {str(line.get("Description") or "") for row in _live(world, "Bill") for line in row["Line"]}  # type: ignore[attr-defined]
    for text in sorted(people.deleted_there & live):
        if text.startswith("of "):
            yield f"revived: the bill {text} was deleted in the ledger and came back by itself"


def _lost(world: ChaosWorld) -> Iterator[str]:
    for entity, table, remote in DOCUMENTS:
        numbers = {row["Id"] for row in world.ledger.all(remote)}
        rows = world.rows(
            f"select d.id::text, d.number, l.remote_id, l.state from {table} d"
            " left join links l on l.entity = %s and l.record_id = d.id where d.status = 'approved'",
            entity,
        )
        for record_id, number, remote_id, state in rows:
            if state is None:
                yield f"lost: {entity} {number} ({record_id}) has no link at all"
            elif state == "open" and remote_id not in numbers:
                yield f"lost: {entity} {number} ({record_id}) is neither in the ledger nor in any queue"
    for entity, remote in (("payment", "Payment"), ("bill_payment", "BillPayment")):
        known = {
            row[0]
            for row in world.rows(
                "select remote_id from links where entity = %s and record_id is not null", entity
            )
        }
        for number in sorted({str(row["Id"]) for row in _live(world, remote)} - known):
            yield f"lost: {remote} {number} never came back"


def undecided(world: Platform) -> Iterator[str]:
    """List differences that nobody decides, and troubles that stand in no queue, of one builder."""
    rows = world.rows(
        "select l.entity, coalesce(r.label, m.label), l.state from links l"
        " left join records r on r.entity = l.entity and r.id = l.record_id"
        " left join mirror m on m.connection_id = l.connection_id and m.entity = l.entity and m.remote_id = l.remote_id"
        " where (l.ours_checksum is distinct from l.base_ours_checksum"
        "        or l.theirs_checksum is distinct from l.base_theirs_checksum) and l.state = 'open'"
    )
    for entity, label, state in rows:
        yield f"undecided: {entity} {label} still differs and is {state}"
    rows = world.rows(
        "select l.entity, l.state, l.id::text from links l where l.state in ('held', 'conflict', 'failed', 'unknown')"
        " and not exists (select from v2_sync_records q where q.link_id = l.id and q.resolved_at is null)"
    )
    for entity, state, link in rows:
        yield f"untold: {entity} link {link} is {state} and stands in no queue"
    for count in world.rows("select count(*) from attempts where state = 'sending'")[0]:
        if count:
            yield f"undecided: {count} attempts still say sending"


def _differing(world: ChaosWorld) -> Iterator[str]:
    for entity, table, remote in DOCUMENTS:
        ledger = {row["Id"]: row for row in world.ledger.all(remote)}
        rows = world.rows(
            f"select d.number, d.status, d.total, d.memo, l.remote_id from {table} d"
            " join links l on l.entity = %s and l.record_id = d.id"
            " where l.state = 'open' and l.remote_id is not null",
            entity,
        )
        for number, status, total, memo, remote_id in rows:
            there = ledger.get(remote_id)
            is_live = there is not None and bool(there.get("TotalAmt"))
            if (status == "approved") != is_live:
                yield f"differs: {entity} {number} is {status} here and {'valid' if is_live else 'gone'} in the ledger"
            elif there is not None and is_live:
                note = str(there.get("PrivateNote") or "").split("\ntieout:")[0].split("tieout:")[0].strip()
                if Decimal(str(there["TotalAmt"])) != total:
                    yield f"differs: {entity} {number} is {total} here and {there['TotalAmt']} in the ledger"
                if note != memo.strip():
                    yield f"differs: {entity} {number} says {memo!r} here and {note!r} in the ledger"


def _unpaid(world: ChaosWorld) -> Iterator[str]:
    for entity, table, remote in DOCUMENTS:
        ledger = {row["Id"]: row for row in world.ledger.all(remote)}
        rows = world.rows(
            f"select d.number, d.total - d.amount_paid, l.remote_id from {table} d"
            " join links l on l.entity = %s and l.record_id = d.id"
            " where d.status = 'approved' and l.state = 'open' and l.remote_id is not null",
            entity,
        )
        for number, still_open, remote_id in rows:
            there = ledger.get(remote_id)
            if there is not None and there.get("TotalAmt") and Decimal(str(there["Balance"])) != still_open:
                yield f"unpaid: {entity} {number} is open by {still_open} here and by {there['Balance']} in the ledger"


def _vanished(world: ChaosWorld, people: People) -> Iterator[str]:
    kept = " ".join(
        str(row[0])
        for row in world.rows(
            "select before::text || coalesce(after::text, '') from audit_log where before is not null"
            " union all select conflict_data::text from v2_sync_records where conflict_data is not null"
            " union all select canonical::text from records union all select canonical::text from mirror"
        )
    )
    here = " ".join(
        row[0] for row in world.rows("select memo from v2_bills union all select memo from v2_invoices")
    )
    there = " ".join(
        str(row.get("PrivateNote")) for entity in ("Bill", "Invoice") for row in world.ledger.all(entity)
    )
    for document, memo in people.edits.ours.items():
        if memo not in here and memo not in there and memo not in kept:
            yield f"vanished: the memo {memo} written here on {document} is in neither book nor the audit log"
    live = {f"{entity} {row['Id']}" for entity in ("Bill", "Invoice") for row in world.ledger.all(entity)}
    for document, memo in people.edits.theirs.items():
        if document in live and memo not in here and memo not in there and memo not in kept:
            yield f"vanished: the note {memo} written in the ledger on {document} is in neither book nor the audit log"


def _unbalanced(world: ChaosWorld) -> Iterator[str]:
    for check in world.ledger.emulator.check_books().values():
        for problem in check.problems:
            yield f"unbalanced: {problem}"
