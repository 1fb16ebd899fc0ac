"""What QuickBooks shows of a record right after it was sent: what was left open is filled in, or stays as it was.

Told of writes whose answer was lost, so that nobody's edit is seen where there was none. Each rule is the other half of
one in `resources.quickbooks.write`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources.quickbooks.words import LISTS
from sync.records import Canonical, Entity, RemoteRecord

# The version of what was never changed since it was made.
UNCHANGED = "0"


def as_kept(entity: Entity, sent: Canonical, *, shown: RemoteRecord, before: Canonical | None) -> Canonical:
    """Return what was sent as QuickBooks keeps it; `shown` is how it stands now, `before` what it said before a change."""
    if not sent:
        return {}
    if entity in LISTS:
        # Found by its name, which somebody else may have entered: all that is there and was not sent is theirs.
        return dict(sent)
    if before is None and shown.version == UNCHANGED:
        # By our mark it is ours, and nobody has touched it: all that it shows came of what was sent.
        return dict(shown.canonical)
    kept = dict(sent)
    if not kept.get("number") and "number" in kept:
        kept["number"] = (before if before is not None else shown.canonical).get("number")
    if before is not None and not kept.get("due_date") and "due_date" in kept:
        kept["due_date"] = before.get("due_date")
    if not kept.get("currency"):
        kept["currency"] = shown.canonical.get("currency")
    if entity is Entity.JOURNAL_ENTRY:
        there = [*(shown.canonical.get("lines") or []), *({} for _ in kept["lines"])]
        kept["lines"] = [
            _with_client_of_job(line, one) for line, one in zip(kept["lines"], there, strict=False)
        ]
    return kept


def _with_client_of_job(line: Mapping[str, Any], there: Mapping[str, Any]) -> Canonical:
    """A line that goes to a job's sub-customer names its client, though it named nobody here."""
    if line.get("party") or "sub_customer" not in (line.get("dimensions") or {}):
        return dict(line)
    return {**line, "party_kind": there.get("party_kind"), "party": there.get("party")}
