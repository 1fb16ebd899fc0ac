"""Dimensions in one transaction: the options of this connection, and the subjects they stand for."""

from __future__ import annotations

from collections.abc import Sequence

from resources.store.audit import AuditEntry, write_audit
from resources.store.dimensions import option_of
from resources.store.work.part import WorkPart
from sync.dimensions import Dimension, DimensionTable, Option
from sync.stored import OptionSubject
from sync.tax_codes import TaxCode


class DimensionsPart(WorkPart):
    """Reads and keeps what jobs, cost codes and cost types are in the ledger's lists."""

    def options(self) -> list[Option]:
        """Return what jobs, codes and types are in the ledger's lists, as far as it came."""
        return [option_of(row) for row in self._tx.rows("dimension_options", **self._connection)]

    def option_subjects(self, dimension: Dimension) -> list[OptionSubject]:
        """Return the subjects that lines wait for, and those whose option is no longer as they are."""
        rows = self._tx.rows(
            "dimension_subjects",
            **self._connection,
            subject=dimension.subject,
            list=dimension.place.list,
            category=dimension.place.category,
            now=self._now,
        )
        return [
            OptionSubject(
                row["id"],
                row["label"],
                is_open=row["is_open"],
                is_pending=row["is_pending"],
                parent_id=row["parent_id"],
            )
            for row in rows
        ]

    def save_option(self, option: Option, *, actor: str, action: str | None) -> None:
        """Keep how an option stands, with an audit entry where something was done about it."""
        shown = {
            "list": option.place.list,
            "category": option.place.category,
            "subject": option.subject,
            "subject_id": option.subject_id,
            "label": option.label,
            "name": option.name,
            "named": option.named,
            "state": option.state,
            "remote_id": option.remote_id,
            "list_id": option.list_id,
            "parent_id": option.parent_id,
            "message": option.message,
            "is_made": option.is_made,
        }
        self._tx.run("dimension_option_save", **self._connection, **shown, now=self._now)
        if action is not None:
            write_audit(
                self._tx,
                AuditEntry(
                    actor,
                    f"dimension.{action}",
                    connection_id=self._session.facts.connection_id,
                    remote_id=option.remote_id,
                    after=shown,
                ),
            )

    def dimension_table(self) -> DimensionTable:
        """Return what lines carry besides their account."""
        facts = self._session.facts
        if not facts.dimensions:
            return DimensionTable(provider_title=facts.provider_title)
        types = self._tx.rows("dimension_cost_types", **self._builder)
        return DimensionTable(
            dimensions=facts.dimensions,
            options={option.key: option for option in self.options()},
            cost_types={row["id"]: row["cost_type"] for row in types},
            provider_title=facts.provider_title,
        )

    def tax_codes(self) -> Sequence[TaxCode]:
        """Return which of the provider's tax codes lines carry."""
        return self._session.facts.tax_codes
