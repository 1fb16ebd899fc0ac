"""QuickBooks' faults: every documented code, in every shape it travels in, ends in one sentence and one remedy."""

from __future__ import annotations

import json

import httpx
import pytest

from resources.quickbooks.catalogue import CATALOGUE
from resources.quickbooks.faults import Fault, error_of, fault_in, fault_of
from sync.errors import (
    AccessExpired,
    OutcomeUnknown,
    PeriodLocked,
    ProviderUnavailable,
    RateLimited,
    RejectedByProvider,
    Remedy,
    SyncError,
    VersionMoved,
)

LABEL = "Invoice 1001"
STALE = "Stale Object Error : You and X were working on this at the same time. X finished before you did, so your work was not saved."
DUPLICATE = (
    "Duplicate Document Number Error : You must specify a different number. This number has already been used."
    " DocNumber=1001 is assigned to TxnType=Invoice with TxnId=145"
)

# code, HTTP status, QuickBooks' detail → error, remedy, words the sentence must contain
ROWS: list[tuple[str, int, str, type[SyncError], Remedy, str]] = [
    ("120", 403, "Authorization Failure", AccessExpired, Remedy.RECONNECT, "administrator to restore the rights"),
    ("500", 400, "Unsupported Operation", RejectedByProvider, Remedy.ASK_USER, "does not offer this operation"),
    ("600", 400, "Duplicate request id", OutcomeUnknown, Remedy.LOOK_IN_LEDGER, "looked up in the ledger"),
    ("610", 400, "Something you're trying to use has been made inactive", RejectedByProvider, Remedy.FIX_MAPPING, "made inactive"),
    ("620", 400, "Transaction cannot be linked", RejectedByProvider, Remedy.ASK_USER, "cannot be linked"),
    ("1040", 400, "Batch too large", RejectedByProvider, Remedy.ASK_USER, "too many records"),
    ("2010", 400, 'Property Name:Unrecognized field "X" specified', RejectedByProvider, Remedy.ASK_USER, 'Unrecognized field "X"'),
    ("2020", 400, "Required parameter Line is missing in the request", RejectedByProvider, Remedy.ASK_USER, "Line is missing"),
    ("2030", 400, "Invalid ID : abc", RejectedByProvider, Remedy.FIX_MAPPING, "Invalid ID : abc"),
    ("2040", 400, "Invalid format", RejectedByProvider, Remedy.ASK_USER, "Correct it"),
    ("2050", 400, "Min:0 Max:1,000 supported. Supplied length:1,001", RejectedByProvider, Remedy.ASK_USER, "Supplied length:1,001"),
    ("2080", 400, "Invalid Number : 1e99", RejectedByProvider, Remedy.ASK_USER, "Correct the amount"),
    ("2170", 400, "Invalid Enumeration : HasBeenBilled", RejectedByProvider, Remedy.ASK_USER, "HasBeenBilled"),
    ("2180", 400, "Invalid date : 2026-13-01", RejectedByProvider, Remedy.ASK_USER, "Correct the date"),
    ("2210", 400, "Invalid email", RejectedByProvider, Remedy.ASK_USER, "Correct the address"),
    ("2500", 400, "Invalid Reference Id : Accounts element id 999 not found", RejectedByProvider, Remedy.FIX_MAPPING, "Accounts element id 999"),
    ("3001", 429, "The request limit was reached.  Try again later", RateLimited, Remedy.RETRY_LATER, "in 60 seconds"),
    ("3100", 403, "ApplicationAuthorizationFailed", AccessExpired, Remedy.RECONNECT, "choose the same company"),
    ("3200", 401, "Token expired", AccessExpired, Remedy.RECONNECT, "Reconnect it in Settings"),
    ("3202", 403, "Company access problem", AccessExpired, Remedy.RECONNECT, "subscription lapsed or its administrator changed"),
    ("4000", 400, "QueryParserError: Encountered ...", RejectedByProvider, Remedy.ASK_USER, "send the text to support"),
    ("4001", 400, "QueryValidationError: Property X not found", RejectedByProvider, Remedy.ASK_USER, "Property X not found"),
    ("5010", 400, STALE, VersionMoved, Remedy.LOOK_IN_LEDGER, "compared again by itself"),
    ("5020", 403, "Permission denied", RejectedByProvider, Remedy.ASK_USER, "administrator grant the right"),
    ("5030", 400, "Feature not in plan", RejectedByProvider, Remedy.ASK_USER, "plan does not have the feature"),
    ("6000", 400, "Business Validation Error: When you use Accounts Receivable, you must choose a customer in the Name field.", RejectedByProvider, Remedy.ASK_USER, "you must choose a customer"),
    ("6010", 400, "Account type missing", RejectedByProvider, Remedy.ASK_USER, "Choose the account's type"),
    ("6030", 400, "Attachment too big", RejectedByProvider, Remedy.ASK_USER, "Attach a smaller file"),
    ("6070", 400, "Amount is not equal to UnitPrice * Qty", RejectedByProvider, Remedy.ASK_USER, "quantity times its unit price"),
    ("6140", 400, DUPLICATE, RejectedByProvider, Remedy.ASK_USER, "by another document (Invoice with the id 145)"),
    ("6190", 403, "Subscription period has ended", AccessExpired, Remedy.ASK_USER, "Renew the subscription"),
    ("6210", 400, "The company has closed the books through 2026-06-30.", PeriodLocked, Remedy.ASK_USER, "2026-06-30"),
    ("6240", 400, "Another customer, vendor or employee is already using this name. Id=58", RejectedByProvider, Remedy.ASK_USER, "already has this name"),
    ("6250", 400, "Cannot do on sub item", RejectedByProvider, Remedy.ASK_USER, "sub-account or sub-item"),
    ("6430", 400, "Bad account type", RejectedByProvider, Remedy.FIX_MAPPING, "Choose another account under Account mapping"),
    ("6480", 400, "Matched to bank transaction", RejectedByProvider, Remedy.ASK_USER, "Undo the match"),
    ("6540", 400, "Deposited transaction cannot be changed", RejectedByProvider, Remedy.ASK_USER, "Take it out of the deposit"),
    ("6560", 400, "Inventory start date", RejectedByProvider, Remedy.ASK_USER, "inventory rules"),
    ("10000", 500, "An application error has occurred", OutcomeUnknown, Remedy.LOOK_IN_LEDGER, "do not enter it by hand"),
]  # fmt: skip


def a_fault(code: str, *, status: int = 400, detail: str = "Something", **values: object) -> Fault:
    return Fault(code=code, status=status, message="A message", detail=detail, **values)  # type: ignore[arg-type]


def an_answer(status: int, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=headers)


def test_every_line_of_the_catalogue_has_its_test() -> None:
    assert [row[0] for row in ROWS] == list(CATALOGUE)


@pytest.mark.parametrize(
    ("code", "status", "detail", "kind", "remedy", "words"), ROWS, ids=[row[0] for row in ROWS]
)
def test_a_code_becomes_one_error_with_one_sentence_and_one_remedy(
    code: str, status: int, detail: str, kind: type[SyncError], remedy: Remedy, words: str
) -> None:
    fault = a_fault(code, status=status, detail=detail)
    error = error_of(fault, label=LABEL, is_write=True, date="2026-06-01", closed_until=None)
    assert type(error) is kind
    assert error.remedy is remedy
    assert words in error.user_message
    assert error.user_message.rstrip().endswith(".")
    assert "{" not in error.user_message


@pytest.mark.parametrize(
    "code", [row[0] for row in ROWS if row[3] in (RejectedByProvider, VersionMoved, OutcomeUnknown)]
)
def test_a_sentence_about_a_record_names_the_record(code: str) -> None:
    assert LABEL in error_of(a_fault(code), label=LABEL, is_write=True).user_message


@pytest.mark.parametrize("code", ["600", "10000"])
def test_a_failed_read_is_only_repeated_because_nothing_can_have_been_written(code: str) -> None:
    assert isinstance(error_of(a_fault(code, status=500), label=LABEL, is_write=False), ProviderUnavailable)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_answered_by_a_server_error_without_a_code_has_an_unknown_outcome(status: int) -> None:
    fault = fault_of(an_answer(status, b"<html><body>Bad gateway</body></html>"))
    assert fault is not None
    assert isinstance(error_of(fault, label=LABEL, is_write=True), OutcomeUnknown)


def test_a_6000_that_says_try_again_later_is_no_refusal() -> None:
    fault = a_fault("6000", detail="An unexpected error occurred. Please try again later.")
    assert isinstance(error_of(fault, label=LABEL, is_write=True), OutcomeUnknown)


def test_an_unlisted_code_keeps_what_quickbooks_said() -> None:
    error = error_of(a_fault("6999", detail="The moon is full"), label=LABEL, is_write=True)
    assert isinstance(error, RejectedByProvider)
    assert "code 6999" in error.user_message
    assert "The moon is full" in error.user_message


def test_an_unlisted_403_asks_to_reconnect() -> None:
    assert isinstance(error_of(a_fault("", status=403), label=LABEL, is_write=True), AccessExpired)


def test_a_missing_reference_to_a_customer_is_not_mended_under_account_mapping() -> None:
    detail = "Invalid Reference Id : Names element id 999 not found"
    assert error_of(a_fault("2500", detail=detail), label=LABEL, is_write=True).remedy is Remedy.ASK_USER


def test_a_taken_number_says_which_document_has_it() -> None:
    details = error_of(a_fault("6140", detail=DUPLICATE), label=LABEL, is_write=True).details
    assert (details["is_taken"], details["existing_remote_id"], details["existing_type"]) == (
        True,
        "145",
        "Invoice",
    )


def test_a_taken_name_says_which_record_has_it_where_quickbooks_tells() -> None:
    told = error_of(a_fault("6240", detail="is already using this name. Id=58"), label=LABEL, is_write=True)
    untold = error_of(a_fault("6240", detail="is already using this name."), label=LABEL, is_write=True)
    assert told.details["existing_remote_id"] == "58"
    assert untold.details["is_taken"]
    assert "existing_remote_id" not in untold.details


def test_a_closed_period_without_a_date_in_the_text_takes_the_companys_closing_date() -> None:
    error = error_of(
        a_fault("6210", detail="The account period has closed"),
        label=LABEL,
        is_write=True,
        date="2026-05-01",
        closed_until="2026-06-30",
    )
    assert "its date 2026-05-01" in error.user_message
    assert "up to 2026-06-30" in error.user_message


def test_retry_after_is_honoured_where_it_is_given() -> None:
    body = {"Fault": {"Error": [{"Message": "m", "Detail": "d", "code": "3001"}], "type": "SERVICE"}}
    fault = fault_of(an_answer(429, body, **{"Retry-After": "17"}))
    assert fault is not None
    assert error_of(fault, label=LABEL, is_write=False).details["wait_seconds"] == 17


def test_a_429_is_a_throttle_whatever_its_body_says() -> None:
    fault = fault_of(an_answer(429, b"slow down"))
    assert fault is not None
    assert isinstance(error_of(fault, label=LABEL, is_write=True), RateLimited)


def test_the_old_throttle_came_as_403_and_is_still_one() -> None:
    assert isinstance(error_of(a_fault("3001", status=403), label=LABEL, is_write=True), RateLimited)


# ---------------------------------------------------------------- shapes

BUSINESS = {
    "Fault": {
        "Error": [{"Message": "Stale Object Error", "Detail": STALE, "code": "5010", "element": ""}],
        "type": "ValidationFault",
    },
    "time": "2026-05-05T03:20:37.245-07:00",
}
GATEWAY = {
    "warnings": None,
    "intuitObject": None,
    "fault": {
        "error": [
            {
                "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                "detail": "Token expired: x",
                "code": "3200",
                "element": None,
            }
        ],
        "type": "AUTHENTICATION",
    },
    "report": None,
    "batchItemResponse": [],
    "time": 1478000000000,
}
XML = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<IntuitResponse time="2026-05-05T03:20:37.245-07:00" xmlns="http://schema.intuit.com/finance/v3">'
    b'<Fault type="SERVICE"><Error code="3001"><Message>message=ThrottleExceeded</Message>'
    b"<Detail>The request limit was reached</Detail></Error></Fault></IntuitResponse>"
)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, BUSINESS, "5010"),
        (401, GATEWAY, "3200"),
        (429, XML, "3001"),
        (200, BUSINESS, "5010"),
        (200, XML, "3001"),
    ],
    ids=["business JSON", "gateway JSON", "XML", "business JSON with 200", "XML with 200"],
)
def test_a_fault_is_read_in_each_of_its_shapes(status: int, body: object, code: str) -> None:
    fault = fault_of(an_answer(status, body, intuit_tid="1-abc-def"))
    assert fault is not None
    assert (fault.code, fault.tid) == (code, "1-abc-def")


def test_leading_zeros_of_a_code_do_not_matter() -> None:
    body = {"Fault": {"Error": [{"Message": "m", "Detail": "d", "code": "003001"}]}}
    fault = fault_in(body)
    assert fault is not None
    assert fault.code == "3001"


def test_a_code_that_only_stands_in_the_text_is_found() -> None:
    body = {
        "fault": {
            "error": [{"message": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403"}]
        }
    }
    fault = fault_of(an_answer(403, body))
    assert fault is not None
    assert fault.code == "3100"


def test_a_good_answer_is_no_fault_even_where_it_contains_the_word() -> None:
    body = {"QueryResponse": {"Account": [{"Id": "1", "Name": "Default Fault reserve"}]}}
    assert fault_of(an_answer(200, body)) is None


def test_an_answer_that_declares_entities_is_not_parsed_as_xml() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><Fault><Error code="3001"><Detail>&a;</Detail></Error></Fault>'
    fault = fault_of(an_answer(503, bomb))
    assert fault is not None
    assert fault.code == ""


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"null", b'{"Fault": null}', b'{"Fault": {"Error": []}}', b"<broken"]
)
def test_a_broken_error_body_still_ends_in_an_error(body: bytes) -> None:
    fault = fault_of(an_answer(400, body))
    assert fault is not None
    assert "HTTP 400" in error_of(fault, label=LABEL, is_write=True).user_message


def test_what_quickbooks_says_is_shortened_before_it_is_shown() -> None:
    error = error_of(a_fault("6000", detail="x" * 5000), label=LABEL, is_write=True)
    assert len(error.user_message) < 500


def test_the_transaction_id_that_intuits_support_asks_for_is_kept() -> None:
    error = error_of(a_fault("6000", tid="1-abc-def"), label=LABEL, is_write=True)
    assert error.details["intuit_tid"] == "1-abc-def"
