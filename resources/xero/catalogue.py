"""What each of Xero's refusals means to the person who has to mend it: one line per pattern.

Xero gives messages, not codes, so they are told apart by their words; the code is ours. A sentence says what happened,
to which record (`{label}`), and what to do next; `{text}` is Xero's own message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from resources.xero.words import TITLE
from sync.errors import Category, Remedy


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of refusal: how it is recognised, what to tell, and whose move it is."""

    code: str
    pattern: re.Pattern[str]
    sentence: str
    remedy: Remedy = Remedy.ASK_USER
    category: Category = Category.VALIDATION
    # The name or number is in use, perhaps by this very record.
    is_taken: bool = False
    # The date lies in a locked period.
    is_locked: bool = False
    # The request's key was used before, so that the record may be there.
    is_repeat: bool = False
    # The record is in another state than the one we knew.
    is_moved: bool = False
    # What is to be mended is the record's contact, which the message may not name.
    is_about_party: bool = False


def _line(code: str, pattern: str, sentence: str, **more: object) -> Line:
    return Line(code, re.compile(pattern, re.IGNORECASE), sentence, **more)  # type: ignore[arg-type]  # by keyword


_OUR_FAULT = "Tieout and Xero disagree about this; send the text to support: {text}"

CATALOGUE: tuple[Line, ...] = (
    _line(
        "number_taken",
        r"invoice # must be unique",
        "{label} was refused because another invoice in Xero has its number. Give one of the two another number, then retry.",
        is_taken=True,
    ),
    _line(
        "name_taken",
        r"contact name .* is already assigned|please enter a unique (?:name|code)",
        "{label} was refused because Xero has another active name or code like it. Rename one of the two, or link them; then retry.",
        is_taken=True,
    ),
    _line(
        "locked",
        r"lock date|locked period|period lock",
        "{label} was refused because its date lies in a locked period.",
        is_locked=True,
    ),
    _line(
        "archived_contact",
        r"archived contact",
        "{label} was refused because its contact is archived in Xero. Restore the contact there (Contacts > Archived), then retry.",
        is_about_party=True,
    ),
    _line(
        "account",
        r"account code .* (?:is not a valid code|has been archived)|account could not be found|account has been archived",
        "{label} was refused because an account it uses is archived, deleted or not meant for this document ({text})."
        " Choose another one under Account mapping; then retry.",
        remedy=Remedy.FIX_MAPPING,
    ),
    _line(
        "tax",
        r"taxtype code",
        "{label} was refused because of the tax rate of a line ({text}). Choose another tax rate for that account in Xero, then retry.",
    ),
    _line(
        "has_money",
        r"has (?:a )?payments? or credit notes?|has payments or credit",
        "{label} cannot be changed because a payment or credit was applied to it in Xero. Remove the payment there first, then retry.",
    ),
    _line(
        "reconciled",
        r"has been reconciled",
        "{label} cannot be removed because it is reconciled in Xero. Unreconcile it there first, then retry.",
    ),
    _line(
        "state",
        r"not of valid status|status .* cannot be applied",
        "{label} is in another state in Xero than expected ({text}). It is compared again by itself.",
        is_moved=True,
    ),
    _line(
        "overpaid",
        r"exceeds the amount outstanding|greater than (?:the )?amount outstanding",
        "{label} was refused because less is due in Xero than it pays. Compare the payments of both sides, then retry.",
    ),
    _line(
        "currency",
        r"not subscribed to currency",
        "{label} was refused because its currency is not set up in Xero. Add the currency there, then retry.",
    ),
    _line(
        "email",
        r"email address must be valid",
        "{label} was refused because Xero does not accept its e-mail address. Correct it or leave it empty, then retry.",
    ),
    _line(
        "missing",
        r"^HTTP 404|could not be found|was not found for this endpoint",
        "{label} was refused because something it refers to (a contact, account or document) is no longer in Xero."
        " Compare it with Xero, then retry.",
    ),
    _line(
        "unbalanced",
        r"total debits .* must equal",
        "{label} was refused because its lines do not balance ({text}). Correct them, then retry.",
    ),
    _line(
        "contact_number_taken",
        r"contact number .* is already assigned",
        "{label} was refused because another contact in Xero has its contact number. Give one of the two another number, then retry.",
    ),
    _line(
        "not_approved",
        r"only be made against authorised",
        "{label} was refused because the document it pays is not approved in Xero. Approve it there, then retry.",
    ),
    _line(
        "order_number_taken",
        r"order number must be unique",
        "{label} was refused because another order in Xero has its number. Give one of the two another number, then retry.",
    ),
    _line(
        "item_taken",
        r"price list item with code .* already exists",
        "{label} was refused because Xero has an item with this code already. Rename one of the two, then retry.",
    ),
    _line(
        "contact_unnamed",
        r"contact must contain at least 1",
        "{label} was refused because the customer or vendor it names has no name in Xero. Give it one here, then retry.",
    ),
    _line("only_status", r"only status accepted", f"{{label}} was not changed. {_OUR_FAULT}."),
    _line(
        "not_understood",
        r"PostDataInvalidException|QueryParseException|NoDataProcessedException|^HTTP (?:406|412|415|501)",
        f"{{label}} was not sent as Xero needs it. {_OUR_FAULT}.",
    ),
    _line(
        "unexplained",
        r"^a validation exception occurred$",
        "{label} was refused by Xero, which does not say why. Open it there or enter it there by hand; its values may be against a"
        " rule of this organisation.",
    ),
    _line(
        "idempotency_reused",
        r"idempotency key.* is used with a different request",
        "Xero has seen the request for {label} before with other words and does not say what became of it. It is looked up in the"
        " ledger by itself; do not enter it by hand until this is settled.",
        remedy=Remedy.LOOK_IN_LEDGER,
        category=Category.UNKNOWN,
        is_repeat=True,
    ),
    _line("idempotency", r"idempotency key", f"{{label}} was not sent. {_OUR_FAULT}."),
)
OTHER = _line("refused", r"", "{label} was refused by Xero: {text}. Correct it there or here, then retry.")


def line_for(text: str) -> Line:
    """Return what is known about a message of Xero."""
    return next((line for line in CATALOGUE if line.pattern.search(text)), OTHER)


__all__ = ["CATALOGUE", "TITLE", "Line", "line_for"]
