"""The builder's bookkeeper, who works in the ledger while the platform works on its side.

Before the first sync a few names and an invoice are in the ledger already; after it clients pay, vendors are paid,
money is taken to the bank, and one bill is corrected on both sides at once. How each ledger takes this is its own.
"""

from __future__ import annotations

from decimal import Decimal

from pipelines.demo.api import TieoutApi
from pipelines.demo.builders import DemoBuilder
from pipelines.demo.in_quickbooks import QuickBooksLedger
from pipelines.demo.in_xero import XeroLedger
from pipelines.demo.ledger import Books, Document, Entered, SandboxLedger, Tell
from pipelines.processes import ProcessError
from resources.store.demo import BillCorrection

LEDGERS: dict[str, type[SandboxLedger]] = {"quickbooks_online": QuickBooksLedger, "xero": XeroLedger}


def ledger_of(provider: str) -> type[SandboxLedger]:
    """Return the ledger of an accounting system by the product's name for it."""
    found = LEDGERS.get(provider)
    if found is None:
        raise ProcessError(f"The demo has no sandbox for {provider!r}; it knows {', '.join(LEDGERS)}.")
    return found


class Bookkeeper:
    """Works in one company's ledger with the documents that the first sync sent there."""

    def __init__(self, ledger: SandboxLedger, builder: DemoBuilder, accounts: dict[str, str]) -> None:
        self._ledger = ledger
        self._manifest = builder.manifest
        self._accounts = accounts
        self._documents: dict[tuple[str, str, str], Document] = {}

    def look_up(self, api: TieoutApi, run_id: str, *, tell: Tell) -> None:
        """Find the documents of the first sync in the ledger, by number and name."""
        for entity in ("invoice", "bill"):
            for record in api.records(run_id, entity):
                if record["status"] == "synced" and record["provider_entity_id"]:
                    found = self._ledger.document(entity, record["provider_entity_id"])
                    self._documents[entity, found.number, found.party] = found
            tell(f"{len(self._documents)} documents found")

    def enter(self, *, tell: Tell) -> Entered:
        """Enter payments, bill payments and deposits."""
        books = Books(self._documents, self._accounts)
        return self._ledger.enter(self._manifest["bookkeeper"], books, tell=tell)

    def correct_bill(self) -> BillCorrection | None:
        """Correct one bill in the ledger, and say how somebody on the platform corrects the same one otherwise."""
        wanted = self._manifest["conflict"]
        bill = self._documents.get(("bill", wanted["bill"], wanted["vendor"]))
        if bill is None:
            return None
        theirs, ours = wanted["theirs"], wanted["ours"]
        self._ledger.correct_bill(bill.body, amount=Decimal(theirs["amount"]), memo=theirs["memo"])
        return BillCorrection(wanted["bill"], wanted["vendor"], Decimal(ours["amount"]), ours["memo"])
