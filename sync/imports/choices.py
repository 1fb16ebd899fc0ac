"""The words people write for states, roles and account types, and the word kept for each."""

from __future__ import annotations

from collections.abc import Mapping


def _words(**choices: str) -> Mapping[str, str]:
    """Turn `kept="one, other"` into {one: kept, other: kept, kept: kept}."""
    found: dict[str, str] = {}
    for kept, words in choices.items():
        for word in (kept.replace("_", " "), *words.split(",")):
            if word.strip():
                found[word.strip()] = kept
    return found


YES_NO = _words(
    true="yes, y, 1, active, x, current, in use",
    false="no, n, 0, inactive, closed, not active, archived, obsolete",
)
JOB_STATUS = _words(
    planned="planning, bid, awarded, precon, preconstruction, not started",
    active="open, in progress, construction, current, started, under construction",
    closed="complete, completed, done, warranty, finished, closed out",
)
# Paid or not is what the ledger says; on the platform such a document is approved.
DOCUMENT_STATUS = _words(
    draft="pending, new, in review, not approved, unapproved, on hold, awaiting approval, submitted",
    approved="open, sent, posted, paid, unpaid, partial, partially paid, overdue, issued, ready, ready for payment, awaiting payment, authorised",
    void="voided, cancelled, canceled, deleted",
)
JOURNAL_STATUS = _words(
    draft="pending, new, unposted", posted="approved, open, final", void="voided, cancelled, canceled"
)
JOURNAL_KIND = _words(
    adjustment="adjusting, manual, general, standard, correction, reclass",
    retainage="retention",
    wip="work in progress, over under billing, wip adjustment",
)
ORDER_STATUS = _words(
    draft="pending, new",
    open="issued, sent, approved, ordered, committed, partially received",
    received="delivered, fulfilled",
    closed="complete, completed, billed",
    cancelled="canceled, void, voided",
)
PAYMENT_STATUS = _words(
    posted="received, paid, cleared, deposited, approved, complete, completed",
    void="voided, cancelled, canceled, bounced, returned, deleted",
)
KIND = _words(
    invoice="standard, client invoice, time and materials, bill, sales invoice",
    draw="draw request, progress, progress billing, pay application, pay app, progress invoice",
)
ROLE = _words(
    work="item, labor, material, materials, cost, standard, completed work, progress, credit",
    retainage="retention, holdback, retainage held, retainage withheld, retainage release, less retainage, retainage released",
    stored_materials="stored, materials stored, stored material, presently stored, uninstalled materials",
)
ACCOUNT_TYPES = _words(
    bank="checking, savings, cash, cash and cash equivalents, cash on hand",
    accounts_receivable="accounts receivable a r, a r, ar, receivable",
    other_current_asset="current asset, current assets, other current assets, inventory, prepaid, prepayment",
    fixed_asset="fixed assets, property and equipment",
    other_asset="other assets, long term asset, non current asset, non current assets",
    accounts_payable="accounts payable a p, a p, ap, payable",
    credit_card="credit cards, card",
    other_current_liability="current liability, current liabilities, other current liabilities, wages payable",
    long_term_liability="long term liabilities, non current liability, non current liabilities, liability, term liability, loan",
    equity="owners equity, owner s equity, capital",
    income="revenue, sales, operating income",
    cost_of_goods_sold="cogs, cost of sales, job cost, job costs, direct costs, cost of goods",
    expense="expenses, overhead, overheads, operating expense, indirect costs, depreciation",
    other_income="non operating income",
    other_expense="other expenses, non operating expense",
)
