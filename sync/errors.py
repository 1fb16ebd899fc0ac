"""Everything that can go wrong in a way a user can do something about.

SyncError                       code, user_message, details, remedy
├─ InvalidInput                 ask_user
│  ├─ InvalidAmount
│  ├─ InvalidSetting
│  └─ ImportRejected            (line, column, problem, suggestion for each)
├─ NotAllowed · NotFound · AlreadyDone          never
├─ ConnectError                 ask_user: the consent did not lead to a connection
│  ├─ ConsentDenied · StateMismatch · StateExpired · CodeRefused · CompanyTaken · NoCompany · ChoiceNeeded
├─ ProviderError                category auth | validation | rate_limit | network | unknown
│  ├─ SyncBusy                  retry_later
│  ├─ RateLimited               retry_later (wait_seconds)
│  ├─ ProviderUnavailable       retry_later
│  ├─ AccessExpired             refresh_token, then reconnect
│  ├─ RejectedByProvider        fix_mapping | ask_user (provider code and field in details)
│  ├─ VersionMoved              look_in_ledger, then compare again
│  ├─ OutcomeUnknown            look_in_ledger, never send again first
│  └─ OutcomeUndecided          decide: the ledger was asked, and only a person can tell
├─ Held                         a record waits: its cause says for what
│  ├─ MappingMissing            fix_mapping
│  │  └─ MappingBroken          fix_mapping, or make the account active again
│  ├─ DimensionMissing          ask_user: the ledger has no class, tracking option, ... for a job or code yet
│  ├─ PartyMissing · DocumentInvalid · PaymentsApplied    ask_user
│  ├─ PeriodLocked                                        ask_user
│  │  ├─ PeriodQuestion · PeriodPosted                    (sync.lanes)
│  └─ ApprovalMissing           ask_user                   (sync.lanes)
└─ ConflictFound                ask_user

Programmer errors are assertions. `remedy` alone decides the queue state, the Dagster outcome, the HTTP status and
the button on the page (`sync/remedies.py`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar


class Remedy(StrEnum):
    """What has to happen next, and by whom."""

    RETRY_LATER = "retry_later"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a remedy, not a secret
    RECONNECT = "reconnect"
    LOOK_IN_LEDGER = "look_in_ledger"
    ASK_USER = "ask_user"
    FIX_MAPPING = "fix_mapping"
    DECIDE = "decide"
    NEVER = "never"


class Category(StrEnum):
    """The requirement's error categories, and `unknown` for a write whose outcome nobody knows yet."""

    AUTH = "auth"
    VALIDATION = "validation"
    RATE_LIMIT = "rate_limit"
    NETWORK = "network"
    UNKNOWN = "unknown"


class SyncError(Exception):
    """Something a user can act on; the message is one sentence that says what happened and what to do."""

    code: ClassVar[str] = "sync.error"
    remedy: Remedy = Remedy.ASK_USER
    category: Category = Category.VALIDATION
    template: ClassVar[str] = "Something went wrong with this record; open it and check its values."

    def __init__(self, message: str | None = None, /, **details: Any) -> None:
        """Keep the details (safe to show) and build the sentence from the class's template."""
        self.details: dict[str, Any] = details
        self.user_message = message if message is not None else self.template.format(**details)
        super().__init__(self.user_message)


# ---------------------------------------------------------------- what was asked of us


class InvalidInput(SyncError):
    """What was sent in cannot be used as it is."""

    code = "input.invalid"
    template = "{what} cannot be used: {reason}. Correct it and send it again."


class InvalidAmount(InvalidInput):
    """An amount that is no exact amount of money."""

    code = "input.amount"
    template = (
        "The amount {value} cannot be used: {reason}. Enter it as digits with a point, for example 1250.00."
    )


class InvalidSetting(InvalidInput):
    """A setting with a value that cannot work."""

    code = "input.setting"
    template = "The setting {name} cannot be used: {reason}."


class ImportRejected(InvalidInput):
    """A file of which nothing was imported; `problems` lists line, column, problem and suggestion."""

    code = "import.rejected"
    template = "Nothing was imported from {file}: {count} problem(s), the first: {first}. Correct the file and import it again."


class NotAllowed(SyncError):
    """The key or role may not do this."""

    code = "access.not_allowed"
    remedy = Remedy.NEVER
    category = Category.AUTH
    template = "This key may not {action}. Use a key of a role that may, or ask the builder's owner."


class NotFound(SyncError):
    """Nothing with this id belongs to this builder."""

    code = "access.not_found"
    remedy = Remedy.NEVER
    template = "There is no {what} with the id {id} here. Take the id from the list and try again."


class AlreadyDone(SyncError):
    """The thing was decided before; doing it twice would change something nobody asked for."""

    code = "access.already_done"
    remedy = Remedy.NEVER
    template = "{what} was already {done}. Load the list again to see how it stands now."


# ---------------------------------------------------------------- connecting


class ConnectError(SyncError):
    """The consent did not lead to a connection; nothing was stored."""

    code = "connect.failed"
    category = Category.AUTH
    template = (
        "The connection to {provider} was not made: {reason}. Start again from Settings > Integrations."
    )


class ConsentDenied(ConnectError):
    """The person pressed Cancel at the provider."""

    code = "connect.denied"
    template = (
        "{provider} was not connected because consent was not given. Start again and press Connect there."
    )


class StateMismatch(ConnectError):
    """The callback's state is unknown, used before, or from another browser."""

    code = "connect.state"
    template = (
        "This answer from {provider} does not belong to a connection begun in this browser, or was used before."
        " Start the connection again from Settings > Integrations."
    )


class StateExpired(ConnectError):
    """The consent took longer than the attempt is kept."""

    code = "connect.expired"
    template = "The connection to {provider} took longer than {minutes} minutes. Start it again."


class CodeRefused(ConnectError):
    """The provider refused the authorization code."""

    code = "connect.code_refused"
    template = "{provider} did not accept the authorization code (expired or used before). Start the connection again."


class CompanyTaken(ConnectError):
    """The company file already belongs to another builder's connection."""

    code = "connect.company_taken"
    template = (
        "The company {company} is already connected to another builder."
        " Disconnect it there first, or choose another company at {provider}."
    )


class ChoiceNeeded(ConnectError):
    """The consent opens several companies; details carry `choices` (id and name of each) and `state` to answer with."""

    code = "connect.choice_needed"
    template = (
        "The consent at {provider} opens several companies. Choose the one that this builder's books are in;"
        " nothing is connected before that."
    )


class NoCompany(ConnectError):
    """The consent came back without a company."""

    code = "connect.no_company"
    template = "{provider} did not say which company was chosen. Start again and choose a company there."


# ---------------------------------------------------------------- talking to a provider


class ProviderError(SyncError):
    """A call to a provider did not do what it was meant to."""

    code = "provider.error"
    remedy = Remedy.RETRY_LATER
    category = Category.NETWORK
    template = "{provider} did not answer as expected. It is tried again by itself."


class SyncBusy(ProviderError):
    """Another sync of the same connection is under way; one at a time keeps the order and the lock honest."""

    code = "sync.busy"
    template = "Another sync of {company} is under way. This one is tried again by itself, or start it again in a minute."


class RateLimited(ProviderError):
    """The provider asks to slow down; details carry wait_seconds."""

    code = "provider.rate_limited"
    category = Category.RATE_LIMIT
    template = "{provider} asked to slow down. It is tried again by itself in {wait_seconds} seconds."


class ProviderUnavailable(ProviderError):
    """No answer, or an answer that says the provider is down; nothing was written."""

    code = "provider.unavailable"
    template = "{provider} cannot be reached ({reason}). It is tried again by itself."


class NotBegun(ProviderUnavailable):
    """A write was kept back here and did not leave: its turn came too late, or earlier ones were not confirmed."""

    code = "push.not_begun"
    template = "Not everything was sent to {provider} ({reason}). It is tried again by itself."


class AccessExpired(ProviderError):
    """The tokens no longer open the company."""

    code = "provider.access_expired"
    remedy = Remedy.RECONNECT
    category = Category.AUTH
    template = (
        "{provider} no longer accepts this connection ({reason}). Reconnect it in Settings > Integrations."
    )


class RejectedByProvider(ProviderError):
    """The provider refused the record for what is in it; details carry provider_code, field and text."""

    code = "provider.rejected"
    remedy = Remedy.ASK_USER
    category = Category.VALIDATION
    template = "{sentence}"


class VersionMoved(ProviderError):
    """The provider's record changed since we last read it; it is compared again before anything is written."""

    code = "provider.version_moved"
    remedy = Remedy.LOOK_IN_LEDGER
    category = Category.VALIDATION
    template = "{label} was changed in {provider} a moment ago. It is compared again by itself."


class OutcomeUnknown(ProviderError):
    """Nobody knows whether the write happened; the ledger is asked before anything is sent again."""

    code = "push.outcome_unknown"
    remedy = Remedy.LOOK_IN_LEDGER
    category = Category.UNKNOWN
    template = (
        "{provider} did not confirm {label} ({reason}). It is looked up in the ledger by itself;"
        " do not enter it by hand until this is settled."
    )


class OutcomeUndecided(ProviderError):
    """The ledger was asked what became of a write, and what it shows does not say."""

    code = "push.outcome_undecided"
    remedy = Remedy.DECIDE
    category = Category.UNKNOWN
    template = (
        "{provider} did not confirm {label}, and {count} record(s) there could be it. Look at them under Errors and say"
        " which one it is, or that it never arrived; nothing of it is sent before that."
    )


class NeverConfirmed(ProviderError):
    """A write was sent as often as it may be by itself, nobody heard what became of it, and the ledger does not show it."""

    code = "push.never_confirmed"
    remedy = Remedy.ASK_USER
    category = Category.UNKNOWN
    template = (
        "{provider} has confirmed {label} not once in {tries} tries, and does not show it. It is not sent again by itself:"
        " press Retry when the cause is gone; the ledger is asked before anything is sent."
    )


# ---------------------------------------------------------------- records that wait


class Held(SyncError):
    """A record waits for its cause to go away; `cause` groups all that one fix releases."""

    code = "hold.held"

    @property
    def cause(self) -> str:
        """The key under which everything held for the same reason is listed."""
        return self.code


class MappingMissing(Held):
    """A cost code or role has no account in the mapping."""

    code = "hold.mapping_missing"
    remedy = Remedy.FIX_MAPPING
    template = "{label} waits because {subject} has no {profile} account. Map it under Account mapping; it is sent by itself."

    @property
    def cause(self) -> str:
        """One cause per cost code (or role) and profile, whether it never had an account or lost it."""
        return f"{MappingMissing.code}:{self.details['profile']}:{self.details['key']}"


class MappingBroken(MappingMissing):
    """A cost code or role is mapped to an account that is gone or inactive at the provider."""

    code = "hold.mapping_broken"
    template = (
        "{label} waits because {subject} is mapped to {account}, which is inactive or gone in {provider}. Make it active"
        " there, or choose another {profile} account under Account mapping; it is sent by itself."
    )


class PartyMissing(Held):
    """The customer, vendor, account or document that the record names is not in the ledger yet."""

    code = "hold.reference_missing"
    template = "{label} waits because {subject} is not in {provider} yet. Fix that record first; this one follows by itself."

    @property
    def cause(self) -> str:
        """One cause per missing record."""
        return f"{self.code}:{self.details['key']}"


class DimensionMissing(Held):
    """A job, cost code or cost type is not in the list of the ledger that it shall be found in."""

    code = "hold.dimension_missing"
    template = "{label} waits because {subject} is no {place} in {provider} yet: {reason}."

    @property
    def cause(self) -> str:
        """One cause per subject and list."""
        return f"{self.code}:{self.details['key']}"


class DocumentInvalid(Held):
    """The record breaks an accounting rule or a limit that the provider is known to enforce."""

    code = "hold.document_invalid"
    template = "{label} waits: {reason}."


class PeriodLocked(Held):
    """The record's date lies in a closed period of the ledger."""

    code = "hold.period_locked"
    template = "{label} waits because its date {date} lies in a closed period (books closed up to {closed_until}). Change the date or open the period."


class PaymentsApplied(Held):
    """The document was ended here while money is applied to it in the ledger; ending it there would orphan the money."""

    code = "hold.payments_applied"
    template = (
        "{label} waits: it is {state} here, but {paid} was paid on it in {provider}. Take the payments off it there first, or"
        " set it back here; it follows by itself."
    )


class ConflictFound(SyncError):
    """Both sides changed the same record and the strategy says a person decides."""

    code = "conflict.found"
    template = "{label} was changed on both sides: {fields}. Choose which values to keep under Conflicts."
