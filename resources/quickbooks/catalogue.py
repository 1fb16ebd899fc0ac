"""What each of QuickBooks' fault codes means to the person who has to mend it: one line per code.

A sentence says what happened, to which record (`{label}`), and what to do next. `{text}` is QuickBooks' own detail,
`{field}` the property it names; both are shown only where they help.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sync.errors import Category, Remedy

TITLE = "QuickBooks Online"
# The code of asking for what is not there any more.
NOT_FOUND = "610"


class Kind(StrEnum):
    """What a fault means for the call it answers."""

    # Not executed, because of what was sent: the record is refused.
    REFUSED = "refused"
    # Not executed, and nothing else of this company will be either until somebody acts.
    ACCESS = "access"
    # Not executed: the access token is old; renewed once, then ACCESS.
    TOKEN = "token"  # noqa: S105 - a kind of fault
    # Not executed: too many calls.
    THROTTLED = "throttled"
    # Not executed: the record is no longer at the version that was sent.
    MOVED = "moved"
    # Nobody knows: a read is repeated, a write is looked up in the ledger.
    UNKNOWN = "unknown"
    # Not executed: the date lies in a closed period.
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Line:
    """One code: what it means for the call, what to tell, and whose move it is."""

    kind: Kind
    sentence: str
    remedy: Remedy = Remedy.ASK_USER
    category: Category = Category.VALIDATION


def _refused(
    sentence: str, *, remedy: Remedy = Remedy.ASK_USER, category: Category = Category.VALIDATION
) -> Line:
    return Line(Kind.REFUSED, sentence, remedy, category)


def _access(sentence: str, *, remedy: Remedy = Remedy.RECONNECT) -> Line:
    return Line(Kind.ACCESS, sentence, remedy, Category.AUTH)


_OUR_FAULT = "Tieout and QuickBooks disagree about this; send the text to support: {text}"

CATALOGUE: dict[str, Line] = {
    "120": _access(
        "QuickBooks no longer lets the person who connected this company work in it."
        " Ask its administrator to restore the rights, or reconnect as an administrator in Settings > Integrations."
    ),
    "500": _refused(f"{{label}} was not accepted: QuickBooks does not offer this operation. {_OUR_FAULT}."),
    "600": Line(
        Kind.UNKNOWN,
        "QuickBooks has seen the request for {label} before and does not say what became of it."
        " It is looked up in the ledger by itself; do not enter it by hand until this is settled.",
        Remedy.LOOK_IN_LEDGER,
        Category.UNKNOWN,
    ),
    "610": _refused(
        "{label} was refused because an account, customer, vendor or item it uses was deleted or made inactive in"
        " QuickBooks. Make it active there again, or choose another one under Account mapping; then retry.",
        remedy=Remedy.FIX_MAPPING,
    ),
    "620": _refused(
        "{label} was refused because it cannot be linked as asked: the open balance is used up or belongs to somebody"
        " else ({text}). Compare the payments of both documents in QuickBooks, then retry."
    ),
    "1040": _refused(f"{{label}} was not accepted: too many records were sent at once. {_OUR_FAULT}."),
    "2010": _refused(
        f"{{label}} was not accepted: QuickBooks does not understand a value of it. {_OUR_FAULT}."
    ),
    "2020": _refused(
        "{label} was refused because {field} is missing. Fill it in, or ask QuickBooks' administrator whether the"
        " company now requires it; then retry."
    ),
    "2030": _refused(
        "{label} was refused because it refers to something by an id that QuickBooks does not use ({text})."
        " Choose the account, customer or vendor again; then retry.",
        remedy=Remedy.FIX_MAPPING,
    ),
    "2040": _refused(
        "{label} was refused because {field} is not written as QuickBooks needs it ({text}). Correct it; then retry."
    ),
    "2050": _refused(
        "{label} was refused because {field} is too long or too short ({text}). Shorten it; then retry."
    ),
    "2080": _refused(
        "{label} was refused because the number in {field} cannot be used ({text}). Correct the amount; then retry."
    ),
    "2170": _refused(
        f"{{label}} was not accepted: {{field}} has a value QuickBooks does not offer. {_OUR_FAULT}."
    ),
    "2180": _refused(
        "{label} was refused because a date of it cannot be used ({text}). Correct the date; then retry."
    ),
    "2210": _refused(
        "{label} was refused because its e-mail address is not valid. Correct the address; then retry."
    ),
    "2500": _refused(
        "{label} was refused because something it refers to is not in QuickBooks any more ({text})."
        " Choose it again, under Account mapping if it is an account; then retry.",
        remedy=Remedy.FIX_MAPPING,
    ),
    "3001": Line(Kind.THROTTLED, "", Remedy.RETRY_LATER, Category.RATE_LIMIT),
    "3100": _access(
        "QuickBooks says that Tieout is not authorised for this company."
        " Reconnect it in Settings > Integrations and choose the same company."
    ),
    "3200": Line(
        Kind.TOKEN,
        "QuickBooks no longer accepts this connection. Reconnect it in Settings > Integrations.",
        Remedy.RECONNECT,
        Category.AUTH,
    ),
    "3202": _access(
        "QuickBooks gives no access to this company: its subscription lapsed or its administrator changed."
        " Let the administrator sign in to QuickBooks once, then reconnect in Settings > Integrations."
    ),
    "4000": _refused(f"QuickBooks could not read a question Tieout asked about {{label}}. {_OUR_FAULT}."),
    "4001": _refused(f"QuickBooks does not answer a question Tieout asked about {{label}}. {_OUR_FAULT}."),
    "5010": Line(
        Kind.MOVED,
        "{label} was changed in QuickBooks a moment ago. It is compared again by itself.",
        Remedy.LOOK_IN_LEDGER,
    ),
    "5020": _refused(
        "{label} was refused because the person who connected QuickBooks may not do this there ({text})."
        " Let an administrator grant the right or reconnect; then retry.",
        category=Category.AUTH,
    ),
    "5030": _refused(
        "{label} was refused because this QuickBooks plan does not have the feature it needs ({text})."
        " Switch the feature on in QuickBooks, or enter this record there by hand.",
        category=Category.AUTH,
    ),
    "6000": _refused(
        "{label} was refused by a rule of QuickBooks: {text}. Correct what it names; then retry."
    ),
    "6010": _refused(
        "{label} was refused because an account needs a type. Choose the account's type; then retry."
    ),
    "6030": _refused(
        "{label} was refused because its attachment is too large. Attach a smaller file; then retry."
    ),
    "6070": _refused(
        "{label} was refused because a line's amount is not its quantity times its unit price. Correct the line; then retry."
    ),
    "6140": _refused(
        "{label} was refused because its number is already used in QuickBooks by {text}."
        " If that is the same document, link the two; otherwise give this one another number; then retry."
    ),
    "6190": _access(
        "QuickBooks says that the company's subscription ended or its status does not allow changes."
        " Renew the subscription in QuickBooks; Tieout goes on by itself afterwards.",
        remedy=Remedy.ASK_USER,
    ),
    "6210": Line(Kind.PERIOD, "", Remedy.ASK_USER),
    "6240": _refused(
        "{label} was refused because another customer, vendor or employee in QuickBooks already has this name."
        " If it is the same one, link the two; otherwise change one of the names; then retry."
    ),
    "6250": _refused(
        "{label} was refused because QuickBooks does not allow this for a sub-account or sub-item ({text}). Choose its parent or another one; then retry."
    ),
    "6430": _refused(
        "{label} was refused because an account of the wrong type is used: a receivable or payable account cannot be"
        " the account of a line. Choose another account under Account mapping; then retry.",
        remedy=Remedy.FIX_MAPPING,
    ),
    "6480": _refused(
        "{label} was refused because QuickBooks has matched it to a line of the bank statement."
        " Undo the match in QuickBooks' bank feed first, or leave the document as it is there."
    ),
    "6540": _refused(
        "{label} was refused because QuickBooks has it in a bank deposit."
        " Take it out of the deposit in QuickBooks first, or leave it as it is there."
    ),
    "6560": _refused(
        "{label} was refused because of inventory rules of an item it uses ({text})."
        " Correct the item in QuickBooks; then retry."
    ),
    "10000": Line(
        Kind.UNKNOWN,
        "QuickBooks failed while working on {label}, and nobody knows yet whether it was done."
        " It is looked up in the ledger by itself; do not enter it by hand until this is settled.",
        Remedy.LOOK_IN_LEDGER,
        Category.UNKNOWN,
    ),
}

_UNLISTED = _refused(
    "{label} was refused by QuickBooks (code {code}): {text}. Correct what it names; then retry."
)
_UNLISTED_ACCESS = _access(
    "QuickBooks refused the access to this company (code {code}). Reconnect it in Settings > Integrations."
)
_TRANSIENT_6000 = ("try again later", "unexpected error")

# Codes under which QuickBooks refuses for many reasons: only its words tell which.
GENERAL = frozenset({"6000"})


def line_for(code: str, *, status: int, detail: str) -> Line:
    """Return the line of a code, or of its family where the code is not listed."""
    if code == "6000" and any(words in detail.casefold() for words in _TRANSIENT_6000):
        return CATALOGUE["10000"]
    if code in CATALOGUE:
        line = CATALOGUE[code]
        # An old spelling of throttling came as 403; a 429 is one whatever its code says.
        return CATALOGUE["3001"] if status == 429 else line
    if status == 429:
        return CATALOGUE["3001"]
    if status >= 500 or (code.isdigit() and int(code) >= 10000):
        return CATALOGUE["10000"]
    if status == 401:
        return CATALOGUE["3200"]
    if status == 403 or (code.isdigit() and 0 < int(code) < 500):
        return _UNLISTED_ACCESS
    return _UNLISTED
