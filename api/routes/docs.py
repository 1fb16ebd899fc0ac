"""`/docs`: the API's document to read and try out, by Swagger UI from a pinned package; nothing comes from the network."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from api.web.render import page

router = APIRouter(tags=["pages"], include_in_schema=False)

VIEWER = "fastapi_swagger"
FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
# The package has a version of its own; a day is short enough to notice a new one.
KEPT = "public, max-age=86400"
# Swagger UI sets styles of single elements, and shows pictures that are part of its own files.
STYLES = "'self' 'unsafe-inline'"


@router.get("/docs", name="docs_page")
def docs_page(request: Request) -> Response:
    """Show the API's document."""
    return page(request, "docs.html", policy={"style-src": STYLES})


@router.get("/docs/{name}", name="docs_file")
def docs_file(name: str) -> Response:
    """Return one of the viewer's files."""
    media_type = FILES.get(name)
    if media_type is None:
        raise HTTPException(404)
    return FileResponse(viewer_folder() / name, media_type=media_type, headers={"Cache-Control": KEPT})


@cache
def viewer_folder() -> Path:
    """Return where the viewer's files lie; the package itself is never run."""
    found = find_spec(VIEWER)
    assert found is not None, f"{VIEWER} is in requirements.lock"
    assert found.submodule_search_locations, f"{VIEWER} is a package"
    return Path(found.submodule_search_locations[0]) / "resources"
