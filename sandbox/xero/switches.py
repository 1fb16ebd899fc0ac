"""The facts about Xero that nobody outside has verified, each as a documented switch; the first value is default.

Where one value is harder on a client than the other, the harder one is the default.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.kernel.emulator import Switch

Switches = Callable[[str], str]

SWITCHES = (
    Switch(
        "scopes",
        ("granular", "any"),
        "Which scopes an app may ask for: only the granular ones (apps made from 2 March 2026 on), or also the "
        "broad accounting.transactions and accounting.reports.read.",
    ),
    Switch("missing_scope_status", ("401", "403"), "Status of a data call whose token lacks the scope."),
    Switch(
        "refresh_grace", ("yes", "no"), "Whether the previous refresh token may be replayed for 30 minutes."
    ),
    Switch(
        "ims_boundary",
        ("exclusive", "inclusive"),
        "Whether If-Modified-Since returns what changed exactly then.",
    ),
    Switch(
        "bulk_400_keeps_good",
        ("yes", "no"),
        "Whether the good elements of a call that ends in 400 are saved all the same.",
    ),
    Switch(
        "deleted_payments_listed",
        ("yes", "no"),
        "Whether GET /Payments returns payments with Status DELETED.",
    ),
    Switch("reconcile_bumps_updated", ("no", "yes"), "Whether reconciling moves UpdatedDateUTC."),
    Switch(
        "payment_fires_invoice_event",
        ("no", "yes"),
        "Whether a payment or allocation raises an INVOICE UPDATE webhook event.",
    ),
    Switch(
        "edit_with_money",
        ("refuse", "documented"),
        "Whether a part or fully paid document refuses every edit, or takes the fields the docs name "
        "(Reference, DueDate, InvoiceNumber, BrandingThemeID, Contact, Url, SentToContact, ExpectedPaymentDate).",
    ),
    Switch(
        "unknown_tracking_option",
        ("refuse", "drop"),
        "What an unknown tracking category or option on a line does: a validation error, or the line loses it.",
    ),
    Switch(
        "journal_unknown_account",
        ("refuse", "drop_with_warning"),
        "What an unknown account on a manual journal line does. Dropping needs the remaining lines to balance.",
    ),
    Switch(
        "currency_rate_direction",
        ("document_per_base", "base_per_document"),
        "Whether CurrencyRate is document currency per unit of base currency, or the reverse.",
    ),
    Switch(
        "idempotency_scope",
        ("app", "tenant"),
        "Whether an Idempotency-Key is remembered per app or per tenant.",
    ),
    Switch(
        "idempotency_keeps_errors", ("yes", "no"), "Whether error answers are remembered under their key too."
    ),
    Switch(
        "contact_match_by_name",
        ("yes", "no"),
        "Whether POST /Contacts edits the active contact of the same name, or refuses the name as taken.",
    ),
    Switch(
        "lock_dates",
        ("refuse", "allow", "untold"),
        "Whether documents dated in a locked period are refused; untold: refused, and Organisation does not show why.",
    ),
    Switch("email_draft", ("refuse", "allow"), "Whether POST /Invoices/{id}/Email refuses a draft."),
    Switch(
        "zero_total_is_paid", ("yes", "no"), "Whether approving an invoice of zero makes it PAID at once."
    ),
    Switch(
        "redirect_loopback_ip",
        ("refuse", "allow"),
        "Whether http://127.0.0.1 is taken as a redirect address besides http://localhost.",
    ),
    Switch(
        "archived_contact_on_documents",
        ("refuse", "allow"),
        "Whether a new document for an archived contact is refused.",
    ),
)
