"""The tax service: tax codes with their rates."""

from __future__ import annotations

from typing import Any

from sandbox.quickbooks import faults
from sandbox.quickbooks.change import Change, changing
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.fields import clean
from sandbox.quickbooks.records import Body, Effects


def create_tax_code(company: Company, raw: dict[str, Any]) -> Body:
    """Answer `POST /taxservice/taxcode`."""
    body = clean("TaxService", raw)
    name = body.get("TaxCode")
    if name is None:
        raise faults.required("TaxCode")
    if len(name) > 100:
        raise faults.too_long("TaxCode", name, 100)
    details = body.get("TaxRateDetails")
    if not details:
        raise faults.required("TaxRateDetails")
    key = f"name:TaxCode::{name.lower()}"
    for _entity, number in company.holders(key):
        raise faults.duplicate_name(number)
    with changing(company) as change:
        rates = [_rate(change, detail) for detail in details]
        code: Body = {
            "Id": change.next_id("TaxCodeMade"),
            "Name": name, "Description": name, "Active": True, "Taxable": True, "TaxGroup": True,
            "SalesTaxRateList": {
                "TaxRateDetail": [
                    {"TaxRateRef": {"value": number, "name": rate["TaxRateName"]}, "TaxTypeApplicable": "TaxOnAmount"}
                    for number, rate in rates
                ]
            },
            "PurchaseTaxRateList": {"TaxRateDetail": []},
        }  # fmt: skip
        code["Id"] = str(int(code["Id"]) + 1)
        change.put("TaxCode", code, old=None, effects=Effects(keys=(key,)))
    return {
        "TaxCode": name,
        "TaxCodeId": code["Id"],
        "TaxRateDetails": [{**rate, "TaxRateId": n} for n, rate in rates],
    }


def _rate(change: Change, detail: Body) -> tuple[str, Body]:
    number = detail.get("TaxRateId")
    if number is not None:
        record = change.company.find("TaxRate", number)
        if record is None:
            raise faults.invalid_reference("TaxRate", number, "TaxRateId")
        return record.id, {"TaxRateName": record.body["Name"], "RateValue": record.body["RateValue"]}
    for name in ("TaxRateName", "RateValue", "TaxAgencyId"):
        if detail.get(name) is None:
            raise faults.required(name)
    if not 0 <= detail["RateValue"] <= 100:
        raise faults.invalid_number("RateValue", detail["RateValue"])
    if change.company.find("TaxAgency", detail["TaxAgencyId"]) is None:
        raise faults.invalid_reference("TaxAgency", detail["TaxAgencyId"], "TaxAgencyId")
    key = f"name:TaxRate::{detail['TaxRateName'].lower()}"
    for _entity, holder in change.company.holders(key):
        raise faults.duplicate_name(holder)
    made = str(int(change.next_id("TaxRateMade")) + 1)
    body: Body = {
        "Id": made, "Name": detail["TaxRateName"], "Active": True, "RateValue": detail["RateValue"],
        "AgencyRef": {"value": detail["TaxAgencyId"]}, "SpecialTaxType": "NONE", "DisplayType": "ReadOnly",
    }  # fmt: skip
    change.put("TaxRate", body, old=None, effects=Effects(keys=(key,)))
    return made, {name: value for name, value in detail.items() if value is not None}
