"""The approval lane: records of an entity that a person accepts before they are sent."""

from __future__ import annotations

from collections.abc import Mapping

from sync.lanes import ApprovalMissing
from sync.ports import Operation
from sync.stored import EntitySetting, LinkView

_WORDS: Mapping[Operation, str] = {
    "create": "created",
    "update": "changed",
    "void": "voided",
    "delete": "deleted",
    "activate": "made active",
}


def must_be_accepted(link: LinkView, setting: EntitySetting, *, operation: Operation, provider: str) -> None:
    """Raise ApprovalMissing where the entity's lane asks for a person and nobody has accepted these very values.

    Who has decided a conflict has seen the values: that is an acceptance of them.
    """
    if not is_accepted(link, setting):
        raise ApprovalMissing(
            label=link.label, action=_WORDS[operation], provider=provider, entity=link.entity.value
        )


def is_accepted(link: LinkView, setting: EntitySetting) -> bool:
    """Say whether nobody has to be asked before the present values of a record are sent."""
    if not setting.needs_approval or link.decision is not None:
        return True
    return link.ours_checksum is not None and link.approved_checksum == link.ours_checksum
