"""Why an import is not begun, stopped, or not taken back.

SyncError
├─ InvalidInput
│  └─ ImportCancelled           a person stopped it; what was written stays
├─ AlreadyDone
│  ├─ ImportMovedOn             it does not stand where this can be done
│  └─ ImportNotUndoable         something of it went on: pushed, referred to, or changed since
└─ ImportBusy                   another import of the builder is at work; retry_later
"""

from __future__ import annotations

from sync.errors import AlreadyDone, InvalidInput, Remedy, SyncError


class ImportCancelled(InvalidInput):
    """Somebody stopped the import while it was at work."""

    code = "import.cancelled"
    template = "The import of {file} was cancelled. What was written before stays; resume it, or undo it."


class ImportMovedOn(AlreadyDone):
    """The import does not stand where this can be done."""

    code = "import.moved_on"
    template = (
        "The import of {file} cannot be {done}: it is {status}. Load it again to see what can be done now."
    )


class ImportNotUndoable(AlreadyDone):
    """Something that the import brought went on since; details carry the `records`, by how people know them."""

    code = "import.not_undoable"
    template = "The import of {file} was not undone, nothing was changed: {reason}. {remedy}"


class ImportBusy(SyncError):
    """Another import of the same builder is at work; one at a time keeps numbers unique."""

    code = "import.busy"
    remedy = Remedy.RETRY_LATER
    template = "Another import for this builder is at work. Wait for it to end, then try again."
