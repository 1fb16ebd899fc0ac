"""Conflicts beyond a single answer: their history, many of one kind at once, and what another strategy would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from resources.store import views
from resources.store.connection_settings import ConnectionSettings
from resources.store.database import Database
from resources.store.database import Transaction as Tx
from resources.store.queue import CONFLICTS, Decider, Resolution, resolve
from resources.store.sync_store import PostgresWork
from resources.store.work.part import SyncSession
from sync.choices import conflict_version, kind_of, selection_version
from sync.compare import Strategy, Verdict
from sync.errors import Held, NotFound
from sync.judge import judge, load_context
from sync.records import SYNC_ORDER, Entity
from sync.stored import ConnectionFacts

# As many as a person can be asked to look at; the rest is a second selection.
SELECTION_MAX = 500
JUDGED_MAX = 2000

WhatHappens = Literal["sent", "taken", "merged", "stays", "held"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Open conflicts that one answer shall decide together; `version` names them and the values they show."""

    rows: Sequence[views.Row]
    left_out: int

    @property
    def version(self) -> str:
        """A short name for exactly these conflicts with exactly these values."""
        return selection_version(
            {str(row["id"]): conflict_version(row["conflict_data"] or {}) for row in self.rows}
        )

    @property
    def money_difference(self) -> Decimal:
        """The sum of the absolute differences."""
        found = [(row["conflict_data"] or {}).get("money_difference") for row in self.rows]
        return sum((abs(Decimal(str(each))) for each in found if each is not None), Decimal(0))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would become of the open conflicts of one entity: how many, and how much money they are about."""

    entity: Entity
    strategy: Strategy
    what: WhatHappens
    records: int
    amount: Decimal


def selection(
    tx: Tx, *, like: UUID | None, connection_id: UUID | None = None, entity: str | None = None
) -> Selection:
    """Find the open conflicts of one kind: like one of them, or of a connection and entity. Stale ones are left out."""
    kind: tuple[str, ...] | None = None
    if like is not None:
        found = views.queue(tx, views.QueueView(statuses=CONFLICTS, id=like))
        if not found:
            raise NotFound(what="conflict", id=str(like))
        (first,) = found
        kind = kind_of(first["platform_entity_type"], first["conflict_data"] or {})
        connection_id, entity = first["connection_id"], first["platform_entity_type"]
    chosen = views.QueueView(statuses=CONFLICTS, connection_id=connection_id, entity=entity)
    rows = views.queue(tx, chosen, rows_max=JUDGED_MAX)
    alike = [
        row
        for row in rows
        if kind is None or kind_of(row["platform_entity_type"], row["conflict_data"] or {}) == kind
    ]
    current = [row for row in alike if _is_current(row)]
    return Selection(current[:SELECTION_MAX], len(alike) - len(current[:SELECTION_MAX]))


def resolve_all(
    tx: Tx, chosen: Selection, *, choice: Literal["platform", "provider", "ignore"], by: Decider
) -> list[Resolution]:
    """Give one answer to every conflict of a selection, all or none."""
    return [
        resolve(
            tx,
            row["id"],
            choice=choice,
            seen_version=conflict_version(row["conflict_data"] or {}),
            by=by,
        )
        for row in chosen.rows
    ]


def history(tx: Tx, record_id: UUID) -> list[dict[str, Any]]:
    """Return what was decided about a conflict's record before, oldest first."""
    return [dict(row) for row in tx.rows("view_conflict_history", id=record_id)]


def _is_current(row: views.Row) -> bool:
    conflict: Mapping[str, Any] = row["conflict_data"] or {}
    shown = (conflict.get("ours_checksum"), conflict.get("theirs_checksum"))
    return shown == (row["ours_checksum"], row["theirs_checksum"])


# ---------------------------------------------------------------- another strategy


def foresee_strategy(
    database: Database,
    facts: ConnectionFacts,
    *,
    wanted: ConnectionSettings,
    now: datetime,
) -> list[Foreseen]:
    """Judge every open conflict as if these settings were saved; nothing is stored."""
    chosen = {each.entity: each.conflict_strategy for each in wanted.entities}
    tallies: dict[tuple[Entity, Strategy, WhatHappens], tuple[int, Decimal]] = {}
    with database.rolled_back_tx(UUID(facts.builder_id)) as tx:
        session = SyncSession(facts=facts, sync_run_id="", trigger="manual", actor="preview")
        work = PostgresWork(tx, session, now=now)
        for entity, link_ids in _open_links(tx, facts).items():
            present = work.entity_setting(entity).strategy
            own = chosen[entity] if entity in chosen else _own_strategy(tx, facts, entity)
            strategy = Strategy(own or wanted.conflict_strategy)
            for link_id in link_ids:
                what, amount = _foresee(work, entity, link_id, strategy=strategy, title=facts.provider_title)
                if strategy is present:
                    what = "stays"
                count, money = tallies.get((entity, strategy, what), (0, Decimal(0)))
                tallies[entity, strategy, what] = (count + 1, money + amount)
    return [
        Foreseen(entity, strategy, what, count, money)
        for (entity, strategy, what), (count, money) in sorted(
            tallies.items(), key=lambda each: (SYNC_ORDER.index(each[0][0]), each[0][2])
        )
    ]


def read_facts(
    tx: Tx, builder_id: UUID, *, connection_id: UUID, title_of: Callable[[str], str]
) -> ConnectionFacts:
    """Return a connection as a sync sees it; raises NotFound."""
    row = tx.row("read_connection_facts", builder_id=builder_id, connection_id=connection_id)
    if row is None:
        raise NotFound(what="connection", id=str(connection_id))
    return ConnectionFacts(
        builder_id=str(builder_id),
        connection_id=str(connection_id),
        provider=row["provider"],
        provider_title=title_of(row["provider"]),
        company_name=row["company_name"],
        strategy=Strategy(row["strategy"]),
        currency=row["currency"],
    )


def _own_strategy(tx: Tx, facts: ConnectionFacts, entity: Entity) -> str | None:
    """Return the entity's own strategy as it is saved, or None where it goes by the connection's."""
    row = tx.row(
        "read_entity_setting",
        builder_id=facts.builder_id,
        connection_id=facts.connection_id,
        entity=entity,
    )
    found: str | None = row["conflict_strategy"] if row is not None else None
    return found


def _open_links(tx: Tx, facts: ConnectionFacts) -> dict[Entity, list[str]]:
    found: dict[Entity, list[str]] = {}
    for row in tx.rows(
        "view_conflict_links",
        builder_id=facts.builder_id,
        connection_id=facts.connection_id,
        rows_max=JUDGED_MAX,
    ):
        found.setdefault(Entity(row["entity"]), []).append(row["link_id"])
    return found


_WHAT: Mapping[Verdict, WhatHappens] = {
    Verdict.UPDATE: "sent",
    Verdict.VOID: "sent",
    Verdict.CREATE: "sent",
    Verdict.APPLY: "taken",
    Verdict.APPLY_VOID: "taken",
    Verdict.APPLY_NEW: "taken",
    Verdict.MERGE: "merged",
}


def _foresee(
    work: PostgresWork, entity: Entity, link_id: str, *, strategy: Strategy, title: str
) -> tuple[WhatHappens, Decimal]:
    links = work.links([link_id])
    context = load_context(work, entity, links, provider_title=title)
    context = replace(context, setting=replace(context.setting, strategy=strategy))
    (link,) = links
    amount = link.total or Decimal(0)
    try:
        verdict = judge(link, context).decision.verdict
    except Held:
        return "held", amount
    return _WHAT.get(verdict, "stays"), amount
