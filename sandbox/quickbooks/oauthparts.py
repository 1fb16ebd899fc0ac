"""Parts of OAuth: scopes, errors, the verifier check."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import uuid
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

SCOPES = frozenset(
    {
        "com.intuit.quickbooks.accounting", "com.intuit.quickbooks.payment", "openid", "profile", "email", "phone",
        "address", "project-management.project", "app-foundations.custom-field-definitions",
        "app-foundations.custom-field-definitions.read", "indirect-tax.tax-calculation.quickbooks",
        "com.intuit.quickbooks.payroll", "com.intuit.quickbooks.payroll.timetracking",
        "com.intuit.quickbooks.payroll.benefits", "payroll.compensation.read", "intuit_name",
    }
)  # fmt: skip


class OAuthError(Exception):
    """An error of the token endpoint."""

    def __init__(self, error: str, *, status: int = 400, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.description = description


def check_verifier(row: dict[str, Any], verifier: str) -> None:
    """Refuse a verifier that does not match the challenge."""
    computed = verifier
    if row["method"] == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        computed = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not verifier or not secrets.compare_digest(computed.encode(), row["challenge"].encode()):
        raise OAuthError("invalid_grant", description="The code verifier does not match the code challenge")


async def form_of(request: Request) -> dict[str, str]:
    """Return a form's fields; a body that is no form is an invalid request."""
    try:
        return {name: str(value) for name, value in (await request.form()).items()}
    except (HTTPException, UnicodeDecodeError) as error:
        raise OAuthError("invalid_request") from error


async def revoked_token(request: Request) -> str:
    """Return the token a revocation names, sent as JSON or as a form."""
    if "json" in request.headers.get("content-type", ""):
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError) as error:
            raise OAuthError("invalid_request") from error
        token = body.get("token") if isinstance(body, dict) else None
    else:
        token = (await form_of(request)).get("token")
    if not isinstance(token, str) or not token:
        raise OAuthError("invalid_request")
    return token


def refusal(error: OAuthError) -> Response:
    """Return the token endpoint's answer to an error."""
    body = {"error": error.error}
    if error.description:
        body["error_description"] = error.description
    headers = {"cache-control": "no-store", "intuit_tid": f"gw-{uuid.uuid4()}"}
    return JSONResponse(body, status_code=error.status, headers=headers)
