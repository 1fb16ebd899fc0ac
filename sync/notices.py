"""What people are told, in words: one sentence per kind of notice, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sync.counting import counted

Kind = Literal[
    "connection_lost",
    "refresh_failing",
    "access_ending",
    "dead_letters",
    "held",
    "conflicts",
    "tie_out_difference",
    "lists_unread",
    "outage_began",
    "outage_ended",
    "webhook_disabled",
]
KINDS: tuple[Kind, ...] = (
    "connection_lost",
    "refresh_failing",
    "access_ending",
    "dead_letters",
    "held",
    "conflicts",
    "tie_out_difference",
    "lists_unread",
    "outage_began",
    "outage_ended",
    "webhook_disabled",
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice as a person reads it."""

    title: str
    message: str


def notice(  # noqa: C901, PLR0911 - one sentence per kind
    kind: Kind, *, company: str, provider: str, records: int, facts: Mapping[str, Any]
) -> Notice:
    """Say what is the matter and what to do."""
    reason = f" ({facts['reason'].rstrip('.')})" if facts.get("reason") else ""
    told = counted(records, "record")
    match kind:
        case "connection_lost" if facts.get("is_probed"):
            # The reason says what to do there, and that it goes on by itself.
            return Notice(
                f"{company} cannot be synced",
                f"{facts.get('reason') or f'{provider} does not let Tieout work in it.'}"
                " It is asked again every half an hour; you need not reconnect it.",
            )
        case "connection_lost":
            return Notice(
                f"{company} is no longer connected",
                f"{provider} no longer accepts the connection{reason}. Nothing is synced until you reconnect it.",
            )
        case "refresh_failing":
            return Notice(
                f"Access to {company} is not being renewed",
                f"Renewing the access to {provider} failed {counted(int(facts.get('times', 1)), 'time')}. It is tried again by itself.",
            )
        case "access_ending":
            return Notice(
                f"Access to {company} ends soon",
                f"The consent at {provider} ends on {str(facts.get('ends_at', ''))[:10]}. Reconnect before then.",
            )
        case "dead_letters":
            return Notice(
                f"{told} could not be synced with {company}",
                "All tries failed, or a value has to be corrected. Look under Errors and held: each has a sentence that says what to do.",
            )
        case "held":
            causes = counted(int(facts.get("causes", 1)), "cause")
            return Notice(
                f"{counted(records, 'record waits', 'records wait')} to be synced with {company} ({causes})",
                "Look under Errors and held: each cause has a sentence that says what ends it. What waits is sent by itself then.",
            )
        case "conflicts":
            return Notice(
                f"{told} changed on both sides in {company}",
                "Choose under Conflicts which values to keep; nothing is overwritten before that.",
            )
        case "tie_out_difference":
            return Notice(
                f"The books and {company} do not tie out",
                f"The last tie-out found differences of up to {Decimal(facts.get('difference') or 0):,.2f}."
                " Open the tie-out to see where.",
            )
        case "lists_unread":
            names = ", ".join(str(name).replace("_", " ") for name in facts.get("entities") or ())
            return Notice(
                f"Not everything in {company} could be read again",
                f"{provider} gave no usable answer for these kinds of record: {names}. The changes that it announces are"
                " synced as always; one that it does not announce, such as an old deletion, may be missed there. It is"
                f" tried again within a day by itself. If this lasts for days, ask the support of {provider}.",
            )
        case "outage_began":
            return Notice(
                f"Syncs with {company} fail",
                f"The last syncs did not work{reason}. They are tried again by themselves; nothing is lost.",
            )
        case "outage_ended":
            return Notice(
                f"Syncs with {company} work again", "What had waited is being synced; you need do nothing."
            )
        case "webhook_disabled":
            return Notice(
                f"{counted(records, 'webhook endpoint is', 'webhook endpoints are')} switched off",
                "No try to deliver to it worked. Mend the receiver, switch the endpoint on again, and replay what it missed.",
            )
