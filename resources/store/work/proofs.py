"""The tie-out in one transaction: the sums of both sides, and the proofs made of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from resources.store.database import json_text
from resources.store.work.part import WorkPart
from sync.summary import TieOut, TieOutLine


class ProofsPart(WorkPart):
    """Sums up, keeps and finds tie-outs."""

    def last_document_date(self) -> date | None:
        """Return the date of the ledger's latest document, which may lie ahead; None where it has none."""
        found: date | None = self._tx.value("last_document_date", **self._connection)
        return found

    def tie_out_sums(self) -> dict[str, Decimal]:
        """Return the sums and balances of both sides that a tie-out compares, by name."""
        sums: dict[str, Decimal] = {}
        for row in self._tx.rows("sum_linked_documents", **self._connection):
            sums[f"ours.{row['entity']}_total"] = row["ours_total"]
            sums[f"theirs.{row['entity']}_total"] = row["theirs_total"]
            if row["entity"] in ("invoice", "bill"):
                sums[f"ours.{row['entity']}_open"] = row["ours_open"]
                sums[f"theirs.{row['entity']}_open"] = row["theirs_open"]
        ledger = {row["entity"]: row for row in self._tx.rows("sum_ledger_documents", **self._connection)}
        journal = {
            row["type"]: row["amount"]
            for row in self._tx.rows("sum_journal_on_control_accounts", **self._connection)
        }
        zero = Decimal(0)

        def part(entity: str, name: str) -> Decimal:
            found: Decimal = ledger[entity][name] if entity in ledger else zero
            return found

        sums["receivable.documents"] = (
            part("invoice", "open_balance")
            - part("payment", "unapplied")
            + journal.get("accounts_receivable", zero)
        )
        sums["payable.documents"] = (
            part("bill", "open_balance")
            - part("bill_payment", "unapplied")
            - journal.get("accounts_payable", zero)
        )
        for row in self._tx.rows("control_accounts", **self._connection):
            sums[f"account.{row['remote_id']}"] = Decimal(row["side"])
        return sums

    def last_tie_out(self) -> TieOut | None:
        """Return the newest tie-out if nothing was written or read since; None where a new one is due."""
        row = self._tx.row("last_valid_tie_out", **self._connection)
        if row is None:
            return None
        lines = tuple(
            TieOutLine(line["name"], Decimal(line["ours"]), Decimal(line["theirs"]), line["explanation"])
            for line in row["lines"]
        )
        return TieOut(lines, is_fresh=False)

    def save_tie_out(self, tie_out: TieOut) -> None:
        """Keep a tie-out as evidence."""
        lines = [
            {
                "name": line.name,
                "ours": f"{line.ours:f}",
                "theirs": f"{line.theirs:f}",
                "difference": f"{line.difference:f}",
                "explanation": line.explanation,
            }
            for line in tie_out.lines
        ]
        self._tx.run(
            "save_tie_out",
            **self._connection,
            sync_run_id=self._session.sync_run_id,
            is_tied=tie_out.is_tied,
            difference=tie_out.difference,
            lines=json_text(lines),
            now=self._now,
        )
