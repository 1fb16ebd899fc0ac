"""Forms whose fields follow from what is shown, and not from a model: rows of a table, a side per field."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request

# Fifty rows of the mapping with what belongs to them, many times over.
FIELDS_MAX = 5_000


async def posted(request: Request) -> FormData:
    """Read the form that was posted; a dependency, so that the route itself may wait for the database."""
    return await request.form(max_files=0, max_fields=FIELDS_MAX)


def texts(form: FormData) -> dict[str, str]:
    """Return the form's fields, without what was left empty."""
    return {name: value for name, value in form.items() if isinstance(value, str) and value != ""}
