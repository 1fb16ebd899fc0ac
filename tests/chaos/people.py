"""What people do in both books, drawn from the seed: the builder's office, and the bookkeeper in QuickBooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.chaos.world import ChaosWorld, Json


@dataclass
class Edits:
    """The newest text each side wrote into a document's memo: a value that must never vanish without a trace."""

    ours: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)


class People:
    """The office and the bookkeeper of one world."""

    def __init__(self, world: ChaosWorld) -> None:
        """Put people to work in a world."""
        self.world = world
        self.random = world.random
        self.edits = Edits()
        self._count = 0
        self.vendors: list[str] = []
        self.clients: list[str] = []
        self.bills: list[str] = []
        self.invoices: list[str] = []
        # Which of our records' documents the bookkeeper has deleted: they must never come back by themselves.
        self.deleted_there: set[str] = set()

    def act(self) -> None:
        """Somebody does something."""
        choices: list[tuple[int, Callable[[], None]]] = [
            (5, self.new_bill),
            (5, self.new_invoice),
            (3, self.edit_bill_here),
            (2, self.edit_invoice_here),
            (1, self.void_here),
            (4, self.bookkeeper_acts),
        ]
        weights = [weight for weight, _ in choices]
        self.random.choices([action for _, action in choices], weights)[0]()
        self.world.clock.move(self.random.choice([3, 30, 300]))

    def bookkeeper_acts(self) -> None:
        """The bookkeeper does something in QuickBooks."""
        self.random.choice(
            [
                self.edit_bill_there,
                self.edit_bill_there,
                self.edit_invoice_there,
                self.pay_invoice,
                self.pay_invoice,
                self.pay_bill,
                self.delete_payment,
                self.delete_bill_there,
                self.void_invoice_there,
                self.rename_vendor_there,
                self.enter_bill_there,
            ]
        )()

    # ------------------------------------------------------------------ the office

    def _next(self, word: str) -> str:
        self._count += 1
        return f"{word}{self._count}"

    def _amounts(self) -> list[str]:
        return [f"{self.random.randint(100, 99999) / 100:.2f}" for _ in range(self.random.randint(1, 3))]

    def new_bill(self) -> None:
        """Approve a bill, sometimes of a new vendor, sometimes without a number."""
        if not self.vendors or self.random.random() < 0.3:
            self.vendors.append(self.world.vendor(self._next("Vendor ")))
        number = None if self.random.random() < 0.25 else self._next("B-")
        bill = self.world.bill(self.random.choice(self.vendors), number=number, amounts=self._amounts())
        self._mark_lines("v2_bill_lines", "bill_id", bill)
        self.bills.append(bill)
        self.world.tell(f"office: bill {number} approved")

    def new_invoice(self) -> None:
        """Approve an invoice, sometimes of a new client."""
        if not self.clients or self.random.random() < 0.3:
            self.clients.append(self.world.client(self._next("Client ")))
        number = self._next("I-")
        invoice = self.world.invoice(self.random.choice(self.clients), number=number, amounts=self._amounts())
        self._mark_lines("v2_invoice_lines", "invoice_id", invoice)
        self.invoices.append(invoice)
        self.world.tell(f"office: invoice {number} approved")

    def _mark_lines(self, table: str, column: str, document: str) -> None:
        # The description names the platform's document, so that doubles are seen whatever becomes of the marker.
        self.world.run(f"update {table} set description = %s where {column} = %s", f"of {document}", document)

    def edit_bill_here(self) -> None:
        """Change a bill's memo or one of its amounts."""
        if self.bills:
            self._edit_here("v2_bills", "v2_bill_lines", "bill_id", self.random.choice(self.bills))

    def edit_invoice_here(self) -> None:
        """Change an invoice's memo or one of its amounts."""
        if self.invoices:
            self._edit_here(
                "v2_invoices", "v2_invoice_lines", "invoice_id", self.random.choice(self.invoices)
            )

    def _edit_here(self, table: str, lines: str, column: str, document: str) -> None:
        ((status, number),) = self.world.rows(f"select status, number from {table} where id = %s", document)
        if status != "approved":
            return
        if self.random.random() < 0.5:
            memo = self._next("ours-")
            self.edits.ours[document] = memo
            self.world.change(table, document, memo=memo)
            self.world.tell(f"office: {number} gets the memo {memo}")
            return
        amount = Decimal(self.random.randint(100, 99999)) / 100
        self.world.run(
            f"update {lines} set amount = %s where {column} = %s and position = 1", amount, document
        )
        self.world.run(
            f"update {table} set total = (select sum(amount) from {lines} where {column} = %s), updated_at = %s where id = %s",
            document,
            self.world.clock.now(),
            document,
        )
        self.world.tell(f"office: the first line of {number} becomes {amount}")

    def void_here(self) -> None:
        """Void a bill or an invoice."""
        table, documents = self.random.choice([("v2_bills", self.bills), ("v2_invoices", self.invoices)])
        if documents:
            document = self.random.choice(documents)
            self.world.change(table, document, status="void")
            self.world.tell(f"office: {table} {document} voided")

    # ------------------------------------------------------------------ the bookkeeper

    def _pick(self, entity: str) -> Json | None:
        found = [row for row in self.world.ledger.all(entity) if row.get("TotalAmt", 1)]
        return self.random.choice(found) if found else None

    def _did(self, what: str, answer: Json | None) -> bool:
        self.world.tell(f"bookkeeper: {what}{'' if answer is not None else ' (QuickBooks did not allow it)'}")
        return answer is not None

    def edit_bill_there(self) -> None:
        """Change a bill's note or an amount in QuickBooks."""
        self._edit_there("Bill", "VendorRef")

    def edit_invoice_there(self) -> None:
        """Change an invoice's note in QuickBooks."""
        self._edit_there("Invoice", "CustomerRef")

    def _edit_there(self, entity: str, party: str) -> None:
        row = self._pick(entity)
        if row is None:
            return
        number = row["Id"]
        if entity == "Bill" and self.random.random() < 0.5:
            lines = [dict(line) for line in row["Line"]]
            lines[-1]["Amount"] = self.random.randint(100, 99999) / 100
            body: Json = {party: row[party], "Line": lines}
            self._did(
                f"the last line of {entity} {number} becomes {lines[-1]['Amount']}",
                self._update(entity, number, body),
            )
            return
        memo = self._next("theirs-")
        mark = _mark_of(row)
        keeps_mark = self.random.random() < 0.8
        note = f"{memo}\n{mark}" if mark and keeps_mark else memo
        if self._did(
            f"{entity} {number} gets the note {note!r}",
            self._update(entity, number, {party: row[party], "PrivateNote": note}),
        ):
            self.edits.theirs[f"{entity} {number}"] = memo

    def _update(self, entity: str, number: str, body: Json) -> Json | None:
        return self.world.ledger.act("update", entity, body, number=number)

    def pay_invoice(self) -> None:
        """Receive money for an invoice, in full or in part."""
        row = self._pick("Invoice")
        if row is None or not row.get("Balance"):
            return
        amount = row["Balance"] if self.random.random() < 0.5 else round(float(row["Balance"]) / 2, 2)
        body = {
            "CustomerRef": row["CustomerRef"],
            "TotalAmt": amount,
            "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": row["Id"], "TxnType": "Invoice"}]}],
        }
        self._did(
            f"payment of {amount} for Invoice {row['Id']}", self.world.ledger.act("create", "Payment", body)
        )

    def pay_bill(self) -> None:
        """Pay a bill."""
        row = self._pick("Bill")
        if row is None or not row.get("Balance"):
            return
        body = {
            "VendorRef": row["VendorRef"],
            "TotalAmt": row["Balance"],
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": self.world.accounts["Bank"]}},
            "Line": [{"Amount": row["Balance"], "LinkedTxn": [{"TxnId": row["Id"], "TxnType": "Bill"}]}],
        }
        self._did(f"bill payment for Bill {row['Id']}", self.world.ledger.act("create", "BillPayment", body))

    def delete_payment(self) -> None:
        """Delete a payment."""
        row = self._pick("Payment")
        if row is not None:
            self._did(
                f"Payment {row['Id']} deleted",
                self.world.ledger.act("delete", "Payment", {}, number=row["Id"]),
            )

    def delete_bill_there(self) -> None:
        """Delete a bill in QuickBooks."""
        row = self._pick("Bill")
        if row is None:
            return
        if self._did(
            f"Bill {row['Id']} deleted", self.world.ledger.act("delete", "Bill", {}, number=row["Id"])
        ):
            self.deleted_there |= {str(line.get("Description") or "") for line in row["Line"]}

    def void_invoice_there(self) -> None:
        """Void an invoice in QuickBooks."""
        row = self._pick("Invoice")
        if row is not None:
            self._did(
                f"Invoice {row['Id']} voided", self.world.ledger.act("void", "Invoice", {}, number=row["Id"])
            )

    def rename_vendor_there(self) -> None:
        """Rename a vendor in QuickBooks."""
        row = self._pick("Vendor")
        if row is not None:
            name = self._next("Renamed ")
            body: dict[str, Any] = {"DisplayName": name}
            self._did(f"Vendor {row['Id']} is now {name}", self._update("Vendor", row["Id"], body))

    def enter_bill_there(self) -> None:
        """Enter a bill of one's own."""
        vendor = self._pick("Vendor")
        if vendor is None:
            return
        number = self._next("L-")
        body = {
            "VendorRef": {"value": vendor["Id"]},
            "DocNumber": number,
            "Line": [
                {
                    "Amount": 77,
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "AccountBasedExpenseLineDetail": {
                        "AccountRef": {"value": self.world.accounts["Cost of Goods Sold"]}
                    },
                }
            ],
        }
        self._did(f"Bill {number} entered", self.world.ledger.act("create", "Bill", body))


def _mark_of(row: Json) -> str:
    note = str(row.get("PrivateNote") or "")
    return next((line for line in note.splitlines() if "tieout:" in line), "")
