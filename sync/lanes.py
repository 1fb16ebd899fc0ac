"""Why a record waits for a person before it is sent: closed periods and approval; a branch of the error tree.

Held
├─ PeriodLocked (sync.errors)   its date lies in a closed period
│  ├─ PeriodQuestion            a person decides about this document
│  └─ PeriodPosted              it stands in a closed period already
└─ ApprovalMissing              a person accepts each record of this kind
"""

from __future__ import annotations

from sync.errors import Held, PeriodLocked


class PeriodQuestion(PeriodLocked):
    """The setting says that a person decides about a document of a closed period."""

    code = "hold.period_question"
    template = (
        "{label} waits for your choice: its date {date} lies in a closed period (books closed up to {closed_until})."
        " Post it on the first open day, {first_open_day}, with a line in its memo, or leave it held."
    )


class PeriodPosted(PeriodLocked):
    """A document that stands in a closed period was changed or ended here."""

    code = "hold.period_posted"
    template = (
        "{label} waits: it is posted on {date} in {provider}, in a period that is closed (up to {closed_until}), and is"
        " not changed there. Open the period for as long as the next sync takes, or correct it by a document of today."
    )


class ApprovalMissing(Held):
    """The setting says that a person accepts each record of this kind before it is sent."""

    code = "hold.approval_missing"
    template = "{label} waits for approval to be {action} in {provider}. Accept or reject it under Approvals."

    @property
    def cause(self) -> str:
        """One cause per entity: they are looked through together."""
        return f"{self.code}:{self.details['entity']}"
