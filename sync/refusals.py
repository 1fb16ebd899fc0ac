"""Why a request from a builder or a program is not carried out; the branch of the error tree that the API meets.

SyncError
├─ NotAllowed
│  ├─ Unauthenticated           no key, or one that opens nothing
│  ├─ ScopeMissing              the role may, the key was narrowed
│  ├─ CrossSite                 a form of another website
│  └─ SignInRefused             a token or link that signs nobody in (any more)
├─ AlreadyDone
│  ├─ StaleMapping              somebody saved another version meanwhile
│  ├─ StaleDraft                somebody saved the draft meanwhile
│  ├─ StaleChoice               the conflict is no longer the one that was shown
│  ├─ StaleSelection            the conflicts of a preview changed meanwhile
│  ├─ StaleApproval             the record was edited after it was shown
│  ├─ StillLookedUp             the record's last write is being looked up in the ledger
│  └─ NothingToDecide           the record's last write needs no decision
├─ InvalidInput
│  ├─ WhichConnection           there are several connections and none was named
│  ├─ MappingRejected           rows that cannot be a mapping, each with its sentence
│  ├─ TooManyDrafts
│  ├─ NotMendedByAccount        a hold that no account in the mapping ends
│  ├─ ChoiceRejected            a choice that does not answer the conflict
│  ├─ OutcomeRejected           a decision about an unconfirmed write that the ledger contradicts
│  ├─ KeyReused                 an Idempotency-Key that came with another request before
│  └─ TooLarge
├─ StillAtWork                  the same request is being carried out; retry_later
├─ VersionMovedOn               If-Match names a version that is not there any more
├─ TooManyRequests              retry_later (wait_seconds)
└─ NotConnected                 reconnect
"""

from __future__ import annotations

from sync.errors import AlreadyDone, Category, InvalidInput, NotAllowed, Remedy, SyncError


class Unauthenticated(NotAllowed):
    """The request carries no key, or one that opens nothing."""

    code = "access.unauthenticated"
    template = (
        "This request needs a valid API key. Send it as 'Authorization: Bearer tieout_…';"
        " the builder's owner can make a new one."
    )


class ScopeMissing(NotAllowed):
    """The role may do this, but the key was narrowed to other things."""

    code = "access.scope_missing"
    template = "This needs the scope {scope}, which this key or token does not carry. Use one that does."


class CrossSite(NotAllowed):
    """A form was sent by a page that is not ours, so that the person may not have meant it."""

    code = "access.cross_site"
    template = (
        "This was sent from another website, and nothing was changed. Open the page here and do it again."
    )


class SignInRefused(NotAllowed):
    """A token or a link signs nobody in (any more)."""

    code = "access.sign_in_refused"
    template = "Nobody was signed in: {reason}. {next}"


class TooManyRequests(SyncError):
    """More requests in a minute than one caller may make; details carry wait_seconds."""

    code = "request.rate_limited"
    remedy = Remedy.RETRY_LATER
    category = Category.RATE_LIMIT
    template = "These are more requests than {limit} in a minute. Go on in {wait_seconds} second(s)."


class KeyReused(InvalidInput):
    """An Idempotency-Key that came with another request before."""

    code = "request.key_reused"
    template = (
        "This Idempotency-Key came with another request before. Send each new request with a key of its own."
    )


class StillAtWork(SyncError):
    """The request with this Idempotency-Key is still being carried out."""

    code = "request.still_at_work"
    remedy = Remedy.RETRY_LATER
    template = "The request with this Idempotency-Key is still being carried out. Ask again in a moment."


class VersionMovedOn(AlreadyDone):
    """If-Match names another version than the present one."""

    code = "request.version_moved_on"
    template = (
        "{what} is not the version {sent} any more. Load it again, look at what changed, and save once more."
    )


class StaleMapping(AlreadyDone):
    """Somebody saved the mapping after it was loaded."""

    code = "mapping.stale"
    template = (
        "The mapping was saved as version {current} after you loaded version {sent}."
        " Load it again, look at what changed, and save once more."
    )


class StaleDraft(AlreadyDone):
    """Somebody saved the draft after it was loaded."""

    code = "mapping.stale_draft"
    template = (
        "This draft was saved by {by} as revision {current} after you loaded revision {sent}."
        " Load it again, look at what changed, and save once more."
    )


class TooManyDrafts(InvalidInput):
    """A connection has as many drafts as anybody can still tell apart."""

    code = "mapping.too_many_drafts"
    template = (
        "There are {count} drafts of this mapping already. Publish or discard some, then begin another."
    )


class NotMendedByAccount(InvalidInput):
    """A hold that no account in the mapping ends."""

    code = "review.not_mended_by_account"
    template = "Choosing an account does not end this hold: {message} Nothing was saved."


class StaleSelection(AlreadyDone):
    """The conflicts of a preview changed before they were decided together."""

    code = "conflict.stale_selection"
    template = (
        "These conflicts changed after the preview was shown. Look at the new one and decide about that."
    )


class StaleApproval(AlreadyDone):
    """The record was edited after it was shown, so that nobody has seen what would be sent."""

    code = "approval.stale"
    template = "{label} was edited after it was shown. The next sync shows it anew; decide about that."


class StaleChoice(AlreadyDone):
    """The conflict changed after it was shown, so the choice was made about other values."""

    code = "conflict.stale"
    template = (
        "{label} changed again after this conflict was shown. Look at the fresh values and choose once more."
    )


class StillLookedUp(AlreadyDone):
    """The outcome of the record's last write is not known yet; leaving it now could double the document."""

    code = "queue.still_looked_up"
    remedy = Remedy.LOOK_IN_LEDGER
    template = (
        "{label} was sent and not confirmed; it is being looked up in the ledger. Wait for that to finish, or retry"
        " it to look at once, and decide then."
    )


class NothingToDecide(AlreadyDone):
    """The record's last write was confirmed, refused or settled meanwhile."""

    code = "queue.nothing_to_decide"
    template = "{label} has no unconfirmed write that a person must decide about. Load the errors again to see how it stands now."


class OutcomeRejected(InvalidInput):
    """A decision about an unconfirmed write that cannot be right."""

    code = "queue.outcome_rejected"
    template = "The decision about {label} was not taken: {reason}."


class WhichConnection(InvalidInput):
    """The builder has several connections and the request names none."""

    code = "input.which_connection"
    template = "There are {count} connections ({providers}). Say which one with connection_id."


class MappingRejected(InvalidInput):
    """Rows that cannot be a mapping; details carry one problem per wrong row."""

    code = "mapping.rejected"
    template = (
        "The mapping was not saved: {count} row(s) cannot be used. {first} Correct them and save again."
    )


class ChoiceRejected(InvalidInput):
    """A choice that does not answer the conflict."""

    code = "conflict.choice_rejected"
    template = "The conflict was not resolved: {reason}."


class TooLarge(InvalidInput):
    """The request's body is larger than anything that could be meant."""

    code = "input.too_large"
    template = "The request is larger than {bytes_max} bytes. Send it in smaller parts."


class NotConnected(SyncError):
    """The builder has no usable connection for this."""

    code = "connection.not_connected"
    remedy = Remedy.RECONNECT
    category = Category.AUTH
    template = "{what} is not connected ({status}). Connect it in Settings > Integrations, then try again."
