"""A person's answer to a conflict, as the decision that the link carries to the next sync."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sync.refusals import ChoiceRejected

Side = Literal["platform", "provider"]
Choice = Side | Mapping[str, Side]

_WHOLE: Mapping[str, str] = {"platform": "use_ours", "provider": "use_theirs"}


def decision_of(choice: Choice, *, fields: Sequence[str]) -> str:
    """Return what the link keeps: use_ours, use_theirs, or merge: and a side per field of the conflict.

    Raises ChoiceRejected where a field is missing or is none of the conflict's.
    """
    if isinstance(choice, str):
        return _WHOLE[choice]
    unknown = sorted(choice.keys() - set(fields))
    if unknown:
        raise ChoiceRejected(
            reason=f"{', '.join(unknown)} is not in conflict; the fields in conflict are {', '.join(fields)}"
        )
    missing = [name for name in fields if name not in choice]
    if missing:
        raise ChoiceRejected(
            reason=f"no side was chosen for {', '.join(missing)}; choose platform or provider for each"
        )
    return "merge:" + json.dumps(dict(choice), sort_keys=True, separators=(",", ":"))


def conflict_version(conflict: Mapping[str, Any]) -> str:
    """Return a short name for the pair of values that a conflict shows; another pair has another name."""
    text = f"{conflict.get('ours_checksum')}|{conflict.get('theirs_checksum')}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
