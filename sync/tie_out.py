"""The tie-out: showing to the cent that both sides agree, or exactly where they do not.

Two kinds of lines. *Linked documents*: what we say a document is worth and what the ledger says. *The ledger itself*:
its control accounts for receivables and payables against the documents we read from it, so that nothing posted past
us goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sync.ports import LedgerBalance
from sync.summary import TieOut, TieOutLine

ZERO = Decimal(0)

PAIRS = (
    ("Invoices", "invoice_total"),
    ("Open on invoices", "invoice_open"),
    ("Bills", "bill_total"),
    ("Open on bills", "bill_open"),
    ("Journal entries (debits)", "journal_entry_total"),
    ("Payments received", "payment_total"),
    ("Bill payments", "bill_payment_total"),
    ("Deposits", "deposit_total"),
)


def tie_out(sums: Mapping[str, Decimal], balances: Sequence[LedgerBalance]) -> TieOut:
    """Compare both sides.

    `sums` has `ours.<name>` and `theirs.<name>` for each pair, and for the two control accounts the parts they must
    be made of; `receivable_accounts` and `payable_accounts` come as `account.<provider id>` → +1 (receivable) or −1.
    """
    lines = [
        TieOutLine(
            title, sums.get(f"ours.{name}", ZERO), sums.get(f"theirs.{name}", ZERO), "linked documents"
        )
        for title, name in PAIRS
    ]
    receivable = sum((b.amount for b in balances if sums.get(f"account.{b.account_id}") == 1), ZERO)
    payable = -sum((b.amount for b in balances if sums.get(f"account.{b.account_id}") == -1), ZERO)
    lines.append(
        TieOutLine(
            "Accounts receivable in the trial balance",
            sums.get("receivable.documents", ZERO),
            receivable,
            "open invoices less unapplied payments, plus journal lines on the account",
        )
    )
    lines.append(
        TieOutLine(
            "Accounts payable in the trial balance",
            sums.get("payable.documents", ZERO),
            payable,
            "open bills less unapplied bill payments, plus journal lines on the account",
        )
    )
    lines.append(
        TieOutLine(
            "Trial balance, debits and credits",
            sum((b.amount for b in balances if b.amount > 0), ZERO),
            -sum((b.amount for b in balances if b.amount < 0), ZERO),
            "the ledger's own books",
        )
    )
    return TieOut(tuple(lines))
