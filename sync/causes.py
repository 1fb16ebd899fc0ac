"""Which records wait for the same thing: the key under which refusals are listed, tried again and dismissed together."""

from __future__ import annotations

from hashlib import blake2b

from sync.errors import Category, SyncError
from sync.stored import LinkView

# A provider's refusal that was foreseen, so that nothing was sent.
NOT_SENT = "not_sent"
# In the details of an error: the account, party or tax code that is to be mended, as `kind:id`.
NAMED = "named"
# In the details of an error: what is to be mended is the party of the record itself.
IS_ABOUT_PARTY = "is_about_party"
# In the details of an error: its code stands for many kinds of refusal, and only the words tell them apart.
IS_GENERAL = "is_general"


def cause_of(error: SyncError, *, link: LinkView) -> str:
    """Return the cause of a failure: what one person mends once, and no less.

    A provider's code tells one kind of refusal from another; with the party or account it names, one fix from another. Where
    there is no code, records that are told the same have the same cause. What passes by itself is one cause: nothing is to
    be mended.
    """
    parts = [error.code]
    provider_code = str(error.details.get("provider_code") or "")
    is_told_by_code = provider_code not in ("", NOT_SENT)
    if is_told_by_code:
        parts.append(provider_code)
        parts.extend(_named(error, link))
    if error.category is Category.VALIDATION and (not is_told_by_code or error.details.get(IS_GENERAL)):
        parts.append(_digest(error, link))
    return ":".join(parts)


def _digest(error: SyncError, link: LinkView) -> str:
    told = error.user_message.replace(link.label, "") if link.label else error.user_message
    return blake2b(told.encode(), digest_size=6).hexdigest()


def _named(error: SyncError, link: LinkView) -> list[str]:
    named = error.details.get(NAMED)
    if named:
        return [str(named)]
    party = link.ours.canonical.get("party") if link.ours is not None else None
    return [f"party:{party}"] if party and error.details.get(IS_ABOUT_PARTY) else []
