"""Links in one transaction: pairing ours with theirs, the difference, and what was decided about each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from resources.store.database import json_text
from resources.store.link_rows import link_view
from resources.store.work.part import WorkPart
from sync.outgoing import NAMED_BY, PARTY, Reference
from sync.records import DEFAULT_DIRECTION, SYNC_ORDER, Direction, Entity
from sync.stored import Block, LinkView, Settlement

# What names a customer or vendor as its party.
DOCUMENTS_OF: Mapping[Entity, tuple[Entity, ...]] = {
    party: tuple(entity for entity, named in PARTY.items() if named is party)
    for party in (Entity.CUSTOMER, Entity.VENDOR)
}


class LinksPart(WorkPart):
    """Reads and moves the links of one connection."""

    def match(self, entity: Entity) -> int:
        """Pair records that exist on both sides and are not linked yet; by marker first, then by natural key."""
        if entity in DOCUMENTS_OF:
            self._follow_merges(entity)
        if not self._tx.value("halves_wait", **self._connection, entity=entity):
            return 0
        made = self._matched(entity, self._tx.rows("match_by_marker", **self._connection, entity=entity))
        if entity in (Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR):
            rows = self._tx.rows("match_by_name", **self._connection, entity=entity)
            return made + self._matched(entity, rows)
        party = PARTY.get(entity)
        if entity in (Entity.INVOICE, Entity.BILL, Entity.JOURNAL_ENTRY):
            rows = self._tx.rows("match_by_number", **self._connection, entity=entity, party_entity=party)
            made += self._matched(entity, rows)
        if party is not None:
            rows = self._tx.rows("match_by_amount", **self._connection, entity=entity, party_entity=party)
            made += self._matched(entity, rows)
        return made

    def _matched(self, entity: Entity, rows: Sequence[Mapping[Any, Any]]) -> int:
        # Money on these documents came in before anybody knew that they are ours.
        self.reopen_naming(entity, [row["remote_id"] for row in rows])
        return self._pair_all(rows)

    def _pair_all(self, rows: Sequence[Mapping[Any, Any]]) -> int:
        if rows:
            pairs = json_text(
                [{"link_id": str(row["link_id"]), "remote_id": row["remote_id"]} for row in rows]
            )
            # First the halves, because a provider record stands on one link only.
            self._tx.run("drop_waiting_halves", **self._connection, rows=pairs, now=self._now)
            self._tx.run("pair_links", **self._builder, rows=pairs)
        return len(rows)

    def _follow_merges(self, entity: Entity) -> None:
        """Let links whose name was merged into another in the ledger follow to it, where that is unique and safe."""
        news = self._tx.rows("merges_news", **self._connection, entity=entity)
        unsaid = [
            row["remote_id"] for row in news if row["state"] == "deleted" and row["merged_into"] is None
        ]
        if unsaid:
            self._tx.run(
                "merges_shown",
                **self._connection,
                entity=entity,
                documents=list(DOCUMENTS_OF[entity]),
                remote_ids=unsaid,
            )
        if not news:
            return
        found = self._tx.rows(
            "merges_to_follow", **self._connection, entity=entity, link_ids=[row["link_id"] for row in news]
        )
        if not found:
            return
        links = {link.id: link for link in self.links([row["link_id"] for row in found])}
        rows = json_text(
            [{name: row[name] for name in ("link_id", "remote_id", "checksum")} for row in found]
        )
        self._tx.run("drop_waiting_halves", **self._connection, rows=rows, now=self._now)
        self._tx.run("merges_follow", **self._builder, rows=rows)
        self._audit_merges(found, links)

    def _audit_merges(self, found: Sequence[Mapping[Any, Any]], links: Mapping[str, LinkView]) -> None:
        rows = [
            {
                "action": "link.merged",
                "reason": f"“{row['from_label']}” was merged into “{row['label']}” in the ledger",
                "link_id": row["link_id"],
                "entity": links[row["link_id"]].entity,
                "record_id": links[row["link_id"]].record_id,
                "remote_id": row["remote_id"],
                "before": {"remote_id": links[row["link_id"]].remote_id, "label": row["from_label"]},
                "after": {"remote_id": row["remote_id"], "label": row["label"]},
                "strategy": None,
                "mapping_version_id": None,
            }
            for row in found
        ]
        self._tx.run(
            "append_audit",
            **self._connection,
            actor=self._session.actor,
            rows=json_text(rows),
            now=self._now,
        )

    def pair(self, remote_ids: Mapping[str, str]) -> None:
        """Put provider records on our halves of links, taking over the halves that were waiting for them."""
        self._pair_all([{"link_id": link, "remote_id": remote} for link, remote in remote_ids.items()])

    def pair_new(self, records: Mapping[str, str | None]) -> None:
        """Give links that had only their side records of ours which are about to be written; None takes one back."""
        if records:
            rows = json_text([{"link_id": link, "record_id": record} for link, record in records.items()])
            self._tx.run("pair_new_records", **self._builder, rows=rows)

    def different(self, entity: Entity, *, now: datetime) -> list[str]:
        """List the links on which something has to be decided now, oldest document first."""
        self._read_by_index()
        found = self._tx.rows(
            "different_links",
            **self._connection,
            entity=entity,
            takes_bulk=self._session.takes_bulk,
            now=now,
        )
        ids = [str(row["id"]) for row in found]
        if len(ids) < 2:
            # What else this transaction asks is of these few; one statement less.
            return ids
        if not self._tx.is_planned_once:
            self._tx.rows("read_by_index", is_free="on")
            self._is_by_index = False
        return [row["id"] for row in self._tx.rows("links_in_order", **self._builder, link_ids=ids)]

    def _read_by_index(self) -> None:
        if not self._is_by_index:
            self._tx.rows("read_by_index", is_free="off")
            self._is_by_index = True

    def quiet(self, *, now: datetime) -> list[tuple[Entity, Direction]] | None:
        """Return the enabled entities with their directions where nothing is to be done in any of them; else None."""
        self._read_by_index()
        rows = self._tx.rows("quiet_entities", **self._connection, entities=list(SYNC_ORDER), now=now)
        found = [(Entity(row["entity"]), row["direction"]) for row in rows]
        return [(entity, way or DEFAULT_DIRECTION[entity]) for entity, way in found] or None

    def links(self, link_ids: Sequence[str]) -> list[LinkView]:
        """Load links with both sides, in the order asked."""
        return [
            link_view(row) for row in self._tx.rows("load_links", **self._builder, link_ids=list(link_ids))
        ]

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Move the base of links on which both sides agree."""
        if settlements:
            rows = json_text(
                [
                    {
                        "link_id": each.link_id,
                        "ours_checksum": each.ours_checksum,
                        "theirs_checksum": each.theirs_checksum,
                        "base_ours": each.base_ours,
                        "base_theirs": each.base_theirs,
                        "linked_by": each.linked_by,
                        "mapping_version_id": each.mapping_version_id,
                        "line_versions": each.line_versions,
                    }
                    for each in settlements
                ]
            )
            self._tx.run("settle_links", **self._builder, rows=rows, now=self._now)

    def leave(self, links: Sequence[LinkView]) -> None:
        """Take note of links about which nothing is done, until one of their sides is not what it was judged by."""
        if links:
            rows = [
                {
                    "link_id": each.id,
                    "ours_checksum": each.ours_checksum,
                    "theirs_checksum": each.theirs_checksum,
                }
                for each in links
            ]
            self._tx.run("leave_links", **self._builder, rows=json_text(rows))

    def block(self, blocks: Sequence[Block]) -> None:
        """Take note of why links cannot go on, with the checksums they were judged by."""
        if blocks:
            # A link may have been stopped twice in one batch: the last reason counts.
            rows = [asdict(each) for each in {each.link_id: each for each in blocks}.values()]
            self._tx.run("block_links", **self._builder, rows=json_text(rows))

    def open_link(self, link_id: str) -> None:
        """Let a link be looked at again, whatever blocked it."""
        self._tx.run("open_link", **self._builder, link_id=link_id)

    def remote_ids(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Map our records to the provider's ids, where linked."""
        found: dict[Reference, str] = {}
        for entity, ids in _by_entity(references).items():
            rows = self._tx.rows("remote_ids_of", **self._connection, entity=entity, record_ids=ids)
            found.update({(entity, row["record_id"]): row["remote_id"] for row in rows})
        return found

    def shared_names(self, entity: Entity, remote_ids: Collection[str]) -> frozenset[str]:
        """Return which of these customers are active vendors of ours too, or the reverse; empty where none can be."""
        if not remote_ids or entity not in DOCUMENTS_OF or not self._session.facts.shares_parties:
            return frozenset()
        other = Entity.VENDOR if entity is Entity.CUSTOMER else Entity.CUSTOMER
        rows = self._tx.rows("shared_names", **self._connection, entity=other, remote_ids=list(remote_ids))
        return frozenset(row["remote_id"] for row in rows)

    def merged_names(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return the names that took the place of customers and vendors of ours that the ledger merged away."""
        found: dict[Reference, str] = {}
        names = [reference for reference in references if reference[0] in DOCUMENTS_OF]
        for entity, ids in _by_entity(names).items():
            rows = self._tx.rows("merged_names_of", **self._connection, entity=entity, record_ids=ids)
            found.update({(entity, row["record_id"]): row["label"] for row in rows})
        return found

    def record_ids(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Map provider records to our ids, where linked."""
        found: dict[Reference, str] = {}
        for entity, ids in _by_entity(references).items():
            rows = self._tx.rows("record_ids_of", **self._connection, entity=entity, remote_ids=ids)
            found.update({(entity, row["remote_id"]): row["record_id"] for row in rows})
        return found

    def our_names(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return the labels of our records."""
        found: dict[Reference, str] = {}
        for entity, ids in _by_entity(references).items():
            rows = self._tx.rows("our_labels", **self._builder, entity=entity, record_ids=ids)
            found.update({(entity, row["id"]): row["label"] for row in rows})
        return found

    def their_names(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return the labels of the provider's records."""
        found: dict[Reference, str] = {}
        for entity, ids in _by_entity(references).items():
            rows = self._tx.rows("their_labels", **self._connection, entity=entity, remote_ids=ids)
            found.update({(entity, row["remote_id"]): row["label"] for row in rows})
        return found

    def reopen_naming(self, entity: Entity, remote_ids: Sequence[str]) -> None:
        """Look again at payments that pay documents, or deposits of payments, which have just been linked."""
        if entity in NAMED_BY and remote_ids:
            self._tx.run("reopen_naming", **self._connection, **naming(entity), remote_ids=list(remote_ids))

    def reopen_left(self, entity: Entity, remote_ids: Sequence[str]) -> None:
        """Look again at documents that were left in the ledger, because money that pays them is here now."""
        if remote_ids:
            self._tx.run("reopen_left", **self._connection, entity=entity, remote_ids=list(remote_ids))

    def paid_since(self, entity: Entity, remote_ids: Sequence[str], *, since: date) -> list[str]:
        """Return which of these documents are paid by money that is here or is dated on that day or later."""
        rows = self._tx.rows(
            "paid_since", **self._connection, **naming(entity), remote_ids=list(remote_ids), since=since
        )
        return [row["document"] for row in rows]


def naming(entity: Entity) -> dict[str, str]:
    """Return how `reopen_naming` is told who names records of an entity."""
    naming_entity, items, key = NAMED_BY[entity]
    return {"naming_entity": naming_entity.value, "list": items, "key": key}


def _by_entity(references: Iterable[Reference]) -> dict[Entity, list[str]]:
    grouped: dict[Entity, set[str]] = {}
    for entity, identifier in references:
        grouped.setdefault(entity, set()).add(identifier)
    return {entity: sorted(ids) for entity, ids in grouped.items()}
