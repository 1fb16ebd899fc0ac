"""What a filter's form sends: an empty choice means any, and what belongs to the page itself is not the filter's."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.cursors import CURSOR_LENGTH_MAX


def _filled(value: Any) -> Any:
    return None if value == "" else value


OrAny = BeforeValidator(_filled)


class Filter(BaseModel):
    """Which part of a list a page shows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cursor: Annotated[str | None, OrAny, Field(max_length=CURSOR_LENGTH_MAX)] = None

    def query(self) -> list[tuple[str, str]]:
        """Return what was chosen, for the address of the next page."""
        return [(name, str(value)) for name, value in self.chosen().items()]

    def chosen(self) -> dict[str, Any]:
        """Return what was chosen, without the place in the list."""
        return self.model_dump(exclude={"cursor"}, exclude_none=True)
