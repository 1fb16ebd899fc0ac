"""Our own files for the pages: styles, scripts, icons. Nothing else is loaded by a page, ever."""

from __future__ import annotations

import mimetypes

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from api.web.render import STATIC, STATIC_ROOT

router = APIRouter(tags=["pages"], include_in_schema=False)

# The address changes with the file.
KEPT = "public, max-age=31536000, immutable"


@router.get(f"{STATIC_ROOT}/{{name}}", name="static_file")
def static_file(name: str) -> Response:
    """Return one of the files that came with Tieout; a name is never a way into another folder."""
    if name not in {path.name for path in STATIC.iterdir()}:
        raise HTTPException(404)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileResponse(STATIC / name, media_type=media_type, headers={"Cache-Control": KEPT})
