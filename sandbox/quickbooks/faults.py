"""QuickBooks' own faults: the code table, and both JSON shapes and the XML twin they travel in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sandbox.kernel import wire
from sandbox.quickbooks.times import wire_time


class FaultError(Exception):
    """A business fault: one error of a `Fault`, raised anywhere, rendered at the edge."""

    def __init__(
        self,
        code: str,
        message: str,
        detail: str = "",
        *,
        element: str = "",
        kind: str = "ValidationFault",
        status: int = 400,
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code = code
        self.message = message
        self.detail = detail or message
        self.element = element
        self.kind = kind
        self.status = status

    def body(self) -> dict[str, Any]:
        """Return the `Fault` object."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code, "element": self.element}
        return {"Error": [error], "type": self.kind}


class GatewayError(FaultError):
    """A fault of the gateway in front of QuickBooks: lower-case JSON, or XML."""


def fault_json(fault: FaultError, now: datetime) -> bytes:
    """Return the body of a fault in the shape its origin uses."""
    if not isinstance(fault, GatewayError):
        return wire.dumps({"Fault": fault.body(), "time": wire_time(now, milliseconds=True)})
    error = {"message": fault.message, "detail": fault.detail, "code": fault.code, "element": None}
    return wire.dumps(
        {
            "warnings": None,
            "intuitObject": None,
            "fault": {"error": [error], "type": fault.kind},
            "report": None,
            "queryResponse": None,
            "batchItemResponse": [],
            "attachableResponse": [],
            "syncErrorResponse": None,
            "requestId": None,
            "time": int(now.timestamp() * 1000),
            "status": None,
            "cdcresponse": [],
        }
    )


def fault_xml(fault: FaultError, now: datetime) -> bytes:
    """Return the XML twin, which the gateway sends where JSON is not asked for."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<IntuitResponse time="{wire_time(now, milliseconds=True)}" xmlns="http://schema.intuit.com/finance/v3">'
        f"<Fault type={quoteattr(fault.kind)}><Error code={quoteattr(fault.code)}>"
        f"<Message>{escape(fault.message)}</Message><Detail>{escape(fault.detail)}</Detail>"
        "</Error></Fault></IntuitResponse>"
    ).encode()


def required(name: str) -> FaultError:
    """2020: a required parameter is missing."""
    return FaultError(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        element=name,
    )


def unrecognised(name: str) -> FaultError:
    """2010: a property the schema does not know."""
    return FaultError(
        "2010",
        "Request has invalid or unsupported property",
        f'Property Name:Unrecognized field "{name}" specified is unsupported or invalid',
        element=name,
    )


def unparsable(name: str, what: str, value: Any) -> FaultError:
    """2010: a value that is not what its property holds."""
    return FaultError(
        "2010",
        "Request has invalid or unsupported property",
        f"Property Name:Can not construct instance of {what} from value '{str(value)[:60]}' for {name}"
        " specified is unsupported or invalid",
        element=name,
    )


def invalid_id(name: str, value: Any) -> FaultError:
    """2030: an id that cannot be one."""
    return FaultError("2030", "Invalid ID", f"Invalid ID : {str(value)[:60]}", element=name)


def invalid_number(name: str, value: Any) -> FaultError:
    """2080: a number outside what QuickBooks can hold."""
    return FaultError(
        "2080",
        "Invalid Number",
        f"Invalid Number : {str(value)[:60]} for {name} is out of range",
        element=name,
    )


def too_long(name: str, value: str, limit: int, *, least: int = 0) -> FaultError:
    """2050: a text of the wrong length."""
    return FaultError(
        "2050",
        "String length is either shorter or longer than supported by specification",
        f"String length specified does not match the supported length. Min:{least} Max:{limit:,} supported."
        f" Supplied length:{len(value):,}",
        element=name,
    )


def invalid_choice(name: str, value: Any) -> FaultError:
    """2170: a value outside an enumeration."""
    return FaultError(
        "2170",
        "Invalid Enumeration",
        f"Invalid Enumeration : {str(value)[:60]} is not valid for {name}",
        element=name,
    )


def invalid_reference(what: str, value: Any, name: str) -> FaultError:
    """2500: a reference to something that is not there."""
    return FaultError(
        "2500",
        "Invalid Reference Id",
        f"Invalid Reference Id : {what} element id {value} not found",
        element=name,
    )


def not_found(detail: str = "") -> FaultError:
    """610: the object is gone or was never there."""
    return FaultError(
        "610",
        "Object Not Found",
        detail
        or "Object Not Found : Something you're trying to use has been made inactive. Check the fields"
        " with accounts, customers, items, vendors or employees.",
    )


def stale() -> FaultError:
    """5010: the SyncToken is not the present one."""
    return FaultError(
        "5010",
        "Stale Object Error",
        "Stale Object Error : You and another user were working on this at the same time."
        " The other user finished before you did, so your work was not saved.",
    )


def business(detail: str, *, element: str = "") -> FaultError:
    """6000: a business rule, told in the detail."""
    return FaultError(
        "6000", "A business validation error has occurred while processing your request",
        f"Business Validation Error: {detail}", element=element,
    )  # fmt: skip


def cannot_link(detail: str) -> FaultError:
    """620: the transaction cannot be linked."""
    return FaultError("620", "Transaction cannot be linked", detail)


def duplicate_name(number: str) -> FaultError:
    """6240: the name is taken."""
    return FaultError(
        "6240",
        "Duplicate Name Exists Error",
        "The name supplied already exists. : Another customer, vendor or employee is already using this"
        f" name. Please use a different name. Id={number}",
    )


def duplicate_number(doc_number: str, txn_type: str, txn_id: str) -> FaultError:
    """6140: the document number is taken."""
    return FaultError(
        "6140",
        "Duplicate Document Number Error",
        "Duplicate Document Number Error : You must specify a different number. This number has already been"
        f" used. DocNumber={doc_number} is assigned to TxnType={txn_type} with TxnId={txn_id}",
    )


def unsupported(detail: str) -> FaultError:
    """500: an operation QuickBooks does not offer."""
    return FaultError("500", "Unsupported Operation", detail)


def period_closed(close_date: str) -> FaultError:
    """6210: the books are closed."""
    return FaultError(
        "6210",
        "Account Period Closed, Cannot Update Through Services API",
        f"The account period has closed and the account books cannot be updated through the QBO Services API."
        f" The company has closed the books through {close_date}.",
    )


def unauthenticated(detail: str) -> GatewayError:
    """3200: no valid token."""
    return GatewayError(
        "3200",
        "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        detail,
        kind="AUTHENTICATION",
        status=401,
    )


def unauthorised(detail: str) -> GatewayError:
    """3100: the application may not see this company."""
    return GatewayError(
        "3100",
        "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
        detail,
        kind="AUTHORIZATION",
        status=403,
    )


def throttled() -> FaultError:
    """3001: too many calls."""
    return FaultError(
        "3001",
        "message=ThrottleExceeded; errorCode=003001; statusCode=429",
        "The request limit was reached.  Try again later",
        kind="SERVICE",
        status=429,
    )


def system_failure(status: int = 500) -> FaultError:
    """10000: the application failed; for a write the outcome is unknown."""
    return FaultError(
        "10000",
        "An application error has occurred while processing your request",
        "System Failure Error: An application error has occurred while processing your request",
        kind="SystemFault",
        status=status,
    )
