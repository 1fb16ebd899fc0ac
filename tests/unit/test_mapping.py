"""The mapping: what is looked up, what may be saved, what is suggested, and how complete it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resources.store.mappings import table_of
from sync.mapping import (
    ALLOWED_TYPES,
    PROFILES,
    CostCode,
    MappingDirection,
    MappingJob,
    MappingRow,
    MappingTable,
    Profile,
    ProviderAccount,
    profile_of_line,
    row_problems,
)
from sync.mapping_overview import MappingUse, SavedRow, mapping_targets
from sync.mapping_suggestions import THRESHOLD, plain_name, suggest, suggest_default
from sync.records import Entity

CHART = [
    ProviderAccount("labor", "Labor", "cost_of_goods_sold", "5010"),
    ProviderAccount("concrete", "Concrete", "cost_of_goods_sold", "5033"),
    ProviderAccount("framing", "Framing & Carpentry", "cost_of_goods_sold", "5060"),
    ProviderAccount("plumbing", "Plumbing Subcontractors", "cost_of_goods_sold", "5150"),
    ProviderAccount("hvac", "HVAC", "cost_of_goods_sold", "5230"),
    ProviderAccount("finishes", "Finishes", "cost_of_goods_sold", "5090"),
    ProviderAccount("equipment", "Equipment Rental", "cost_of_goods_sold", "5020"),
    ProviderAccount("insurance", "Insurance", "expense", "6020"),
    ProviderAccount("income", "Construction Income", "income", "4000"),
    ProviderAccount("design", "Design Income", "income", "4010"),
    ProviderAccount("retained", "Retainage Receivable", "other_current_asset", "1250"),
    ProviderAccount("trucks", "Trucks", "fixed_asset", "1500"),
    ProviderAccount("owed", "Retainage Payable", "other_current_liability", "2150"),
    ProviderAccount("sales tax", "Sales Tax Payable", "other_current_liability", "2200"),
    ProviderAccount("gone", "Excavation", "cost_of_goods_sold", "5310", is_active=False),
]


def a_code(name: str, *, code: str = "77-100", division: str | None = None) -> CostCode:
    return CostCode(name, code, name, division)


def pick(
    name: str, *, profile: Profile = "cost_code", code: str = "77-100", division: str | None = None
) -> str | None:
    found = suggest(profile, cost_codes=[a_code(name, code=code, division=division)], accounts=CHART)
    return found[name].account_id if name in found else None


# ---------------------------------------------------------------- looking up


@pytest.mark.parametrize(
    ("entity", "role", "profile", "key"),
    [
        (Entity.INVOICE, "work", "revenue", "c"),
        (Entity.BILL, "work", "cost_code", "c"),
        (Entity.JOURNAL_ENTRY, "work", "cost_code", "c"),
        (Entity.INVOICE, "retainage", "asset", None),
        (Entity.BILL, "retainage", "liability", None),
        (Entity.INVOICE, "stored_materials", "asset", "c"),
        (Entity.BILL, "stored_materials", "asset", "c"),
    ],
)
def test_each_kind_of_line_has_its_profile(entity: Entity, role: str, profile: str, key: str | None) -> None:
    assert profile_of_line(entity, role=role, cost_code_id="c") == (profile, key)


def test_a_cost_or_a_sale_falls_back_to_nothing_that_nobody_set() -> None:
    table = MappingTable(accounts={("asset", None): "any", ("cost_code", "other"): "any"})
    assert (table.lookup("cost_code", "c"), table.lookup("revenue", "c")) == (None, None)


def test_a_line_takes_its_codes_account_else_its_jobs_else_the_companys_and_says_which() -> None:
    table = MappingTable(
        accounts={("cost_code", "own"): "1", ("cost_code", "job:j"): "2", ("cost_code", None): "3"}
    )
    assert table.find("cost_code", "own", job_id="j") == ("1", "code")
    assert table.find("cost_code", "other", job_id="j") == ("2", "job")
    assert table.find("cost_code", "other", job_id="another") == ("3", "company")
    assert table.find("cost_code", None) == ("3", "company")
    assert table.find("revenue", "own", job_id="j") is None


def test_a_jobs_broken_default_is_not_replaced_by_the_companys() -> None:
    table = MappingTable(accounts={("asset", None): "d"}, broken={("asset", "job:j"): "Gone"})
    assert table.find("asset", None, job_id="j") is None
    assert table.find("asset", None, job_id="another") == ("d", "company")


def test_retainage_can_have_an_account_per_job() -> None:
    table = MappingTable(accounts={("liability", None): "all", ("liability", "job:j"): "its own"})
    found = [
        table.account_for_line(Entity.BILL, role="retainage", cost_code_id="c", job_id=j) for j in ("j", "k")
    ]
    assert found == ["its own", "all"]


def test_stored_materials_fall_back_to_the_asset_default() -> None:
    table = MappingTable(accounts={("asset", None): "default", ("asset", "own"): "special"})
    assert (table.lookup("asset", "own"), table.lookup("asset", "other")) == ("special", "default")


def test_a_broken_row_is_not_replaced_by_the_default() -> None:
    table = MappingTable(accounts={("asset", None): "default"}, broken={("asset", "own"): "Gone"})
    assert table.lookup("asset", "own") is None


def test_a_row_gives_what_its_direction_says_out_and_back() -> None:
    def row(
        direction: MappingDirection, subject: str | None, account: str, *, is_broken: bool = False
    ) -> SavedRow:
        return SavedRow("liability", subject, account, None, None, None, direction, is_broken)

    table = table_of([row("push", "out", "1"), row("pull", "back", "2"), row("both", "round", "3")])
    assert [table.lookup("liability", code) for code in ("out", "back", "round")] == ["1", None, "3"]
    assert [table.codes_on("liability", account) for account in "123"] == [(), ("back",), ("round",)]
    defaults = [
        table_of([row(way, None, "d")]).is_default("liability", "d") for way in ("push", "pull", "both")
    ]
    assert defaults == [False, True, True]


def test_a_broken_row_that_only_reads_back_stands_in_no_defaults_way() -> None:
    back = SavedRow("liability", "c", "gone", None, None, None, "pull", is_broken=True)
    table = table_of([SavedRow("liability", None, "d", None, None, None, "both", is_broken=False), back])
    assert table.lookup("liability", "c") == "d"


def test_a_code_that_only_reads_back_counts_as_unmapped_until_something_answers_for_it() -> None:
    back = SavedRow("cost_code", "c", "1", None, None, None, "pull", is_broken=False)
    default = SavedRow("cost_code", None, "2", None, None, None, "both", is_broken=False)
    codes = [CostCode("c", "03-100", "Concrete")]

    def state(*rows: SavedRow) -> tuple[str, bool]:
        targets = mapping_targets(codes=codes, accounts=[], rows=rows, uses={})
        (found,) = [each for each in targets if each.profile == "cost_code" and each.code is not None]
        return found.state, found.inherited is not None

    assert state(back) == ("unmapped", False)
    assert state(back, default) == ("mapped", True)
    assert state(back, replace(default, direction="pull")) == ("unmapped", False)


def test_an_empty_mapping_maps_nothing() -> None:
    assert MappingTable().account_for_line(Entity.BILL, role="work", cost_code_id="c") is None
    assert MappingTable().codes_on("cost_code", "84") == ()


# ---------------------------------------------------------------- what may be saved


def problems_of(*rows: MappingRow) -> list[str]:
    return [problem.message for problem in row_problems(rows, cost_codes=[a_code("c")], accounts=CHART)]


def test_many_codes_may_share_an_account_and_one_code_has_a_row_per_profile() -> None:
    codes = [a_code("one"), a_code("two")]
    rows = [
        MappingRow("cost_code", "one", "labor"),
        MappingRow("cost_code", "two", "labor"),
        MappingRow("revenue", "one", "income"),
    ]
    assert row_problems(rows, cost_codes=codes, accounts=CHART) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_takes_accounts_of_its_types_only(profile: Profile) -> None:
    for account in CHART:
        found = problems_of(MappingRow(profile, "c", account.id))
        is_allowed = account.is_active and account.type in ALLOWED_TYPES[profile]
        assert (found == []) == is_allowed, (profile, account.name, found)


def test_the_problem_of_a_wrong_type_names_what_would_do() -> None:
    (sentence,) = problems_of(MappingRow("cost_code", "c", "income"))
    assert sentence == (
        "Row 1 maps the expense profile to 4000 Construction Income, an account of type income;"
        " choose one of type cost of goods sold or expense."
    )


def test_the_same_key_twice_is_one_problem_that_names_both_rows() -> None:
    (sentence,) = problems_of(MappingRow("cost_code", "c", "labor"), MappingRow("cost_code", "c", "concrete"))
    assert sentence.startswith("Rows 1 and 2 both map cost code 77-100")


def test_every_profile_may_have_a_default_of_the_company_and_one_per_job() -> None:
    job = MappingJob("j", "1204", "Maple Street")
    rows = [
        MappingRow("asset", None, "retained"),
        MappingRow("revenue", None, "income"),
        MappingRow("revenue", None, "design", job_id="j"),
        MappingRow("revenue", "c", "income"),
    ]
    assert row_problems(rows, cost_codes=[a_code("c")], accounts=CHART, jobs=[job]) == []


def test_a_jobs_default_is_saved_once_for_a_job_there_is_and_for_no_cost_code() -> None:
    job = MappingJob("j", "1204", "Maple Street")
    rows = [
        MappingRow("revenue", None, "income", job_id="j"),
        MappingRow("revenue", None, "design", job_id="j"),
        MappingRow("revenue", None, "income", job_id="k"),
        MappingRow("revenue", "c", "income", job_id="j"),
    ]
    found = [
        each.message for each in row_problems(rows, cost_codes=[a_code("c")], accounts=CHART, jobs=[job])
    ]
    assert found[0].startswith("Rows 1 and 2 both map the default of job 1204 in the revenue profile")
    assert "names job k, which this builder does not have" in found[1]
    assert "names a cost code and a job" in found[2]


# ---------------------------------------------------------------- suggestions


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("Concrete", "concrete"),
        ("Cast-in-place concrete", "concrete"),
        ("FRAMING LABOR & CARPENTRY", "framing"),
        ("Rough plumbing", "plumbing"),
        ("Plumbing subs", "plumbing"),
        ("Heating, ventilation and air conditioning", "hvac"),
        ("Rental of equipment", "equipment"),
        ("Builder's risk insurance", "insurance"),
        ("Labour", "labor"),
    ],
)
def test_a_code_finds_the_account_of_its_name(name: str, account: str) -> None:
    assert pick(name) == account


@pytest.mark.parametrize(
    "name",
    [
        "Elevators",
        "Toilet accessories",
        "Landscaping",
        "",
        "???",
        "Costs of job",
        "Sales Tax Payable",
        "Excavation",
    ],
)
def test_where_nothing_fits_nothing_is_suggested(name: str) -> None:
    assert pick(name) is None


def test_a_code_without_a_telling_name_goes_by_its_division() -> None:
    assert pick("Interior painting") is None
    assert pick("Interior painting", division="Finishes") == "finishes"
    assert pick("Formwork", division="Concrete") == "concrete"


def test_its_own_name_beats_its_division() -> None:
    assert pick("Equipment rental", division="Concrete") == "equipment"


def test_a_number_that_begins_alike_decides_between_names_that_do_not() -> None:
    chart = [
        ProviderAccount("a", "Concrete work", "cost_of_goods_sold", "5099"),
        ProviderAccount("b", "Concrete work", "cost_of_goods_sold", "5033"),
    ]
    code = a_code("Concrete", code="03-300")
    (found,) = suggest("cost_code", cost_codes=[code], accounts=chart).values()
    assert found.account_id == "b"
    assert "begins like the code" in found.reason


def test_among_equals_cost_of_goods_sold_comes_before_overhead() -> None:
    chart = [
        ProviderAccount("a", "Permits", "expense"),
        ProviderAccount("b", "Permits", "cost_of_goods_sold"),
    ]
    (found,) = suggest("cost_code", cost_codes=[a_code("Permits")], accounts=chart).values()
    assert found.account_id == "b"


def test_sales_go_to_what_a_builders_income_account_is_usually_called() -> None:
    assert pick("Cast-in-place concrete", profile="revenue") == "income"
    assert pick("Design", profile="revenue") == "design"


def test_a_lone_income_account_takes_every_sale_less_surely() -> None:
    lone = [ProviderAccount("x", "Turnover", "income")]
    (found,) = suggest("revenue", cost_codes=[a_code("Concrete")], accounts=lone).values()
    assert (found.account_id, found.score, found.reason) == ("x", 70, "Turnover is the only revenue account.")


def test_defaults_are_found_by_their_usual_names() -> None:
    asset, liability = suggest_default("asset", accounts=CHART), suggest_default("liability", accounts=CHART)
    assert asset is not None
    assert liability is not None
    assert (asset.account_id, liability.account_id) == ("retained", "owed")
    assert (
        suggest_default("asset", accounts=[account for account in CHART if account.id != "retained"]) is None
    )


def test_scores_lie_between_the_threshold_and_a_hundred_and_reasons_are_sentences() -> None:
    codes = [a_code(account.name, code=account.number or "", division=account.name) for account in CHART]
    for profile in PROFILES:
        for found in suggest(profile, cost_codes=codes, accounts=CHART).values():
            assert THRESHOLD <= found.score <= 100
            assert found.reason.endswith(".")
            assert found.reason[0].isupper() or found.reason[0].isdigit()


def test_the_order_of_the_chart_changes_nothing() -> None:
    codes = [a_code(name) for name in ("Concrete pumping", "Framing lumber", "Insurance bond")]
    forward = suggest("cost_code", cost_codes=codes, accounts=CHART)
    assert suggest("cost_code", cost_codes=codes, accounts=CHART[::-1]) == forward


def test_an_empty_chart_or_no_codes_suggest_nothing() -> None:
    assert suggest("cost_code", cost_codes=[a_code("Concrete")], accounts=[]) == {}
    assert suggest("cost_code", cost_codes=[], accounts=CHART) == {}


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Costs of Goods Sold - Job Materials", "material"),
        ("Sitework & Earthworks", "site earthwork"),
        ("Ceiling", "ceil"),
    ],
)
def test_names_are_compared_without_what_says_nothing(name: str, plain: str) -> None:
    assert plain_name(name) == plain


# ---------------------------------------------------------------- how complete it is


def a_saved_row(profile: Profile, code: str | None, account: str, *, is_broken: bool = False) -> SavedRow:
    return SavedRow(profile, code, account, account, None, "expense", "both", is_broken)


def test_every_active_code_wants_an_expense_and_a_revenue_account_and_the_defaults_are_asked_for() -> None:
    targets = mapping_targets(codes=[a_code("Concrete")], accounts=CHART, rows=[], uses={})
    assert [(target.profile, target.code.name if target.code else None) for target in targets] == [
        ("cost_code", "Concrete"),
        ("revenue", "Concrete"),
        ("asset", None),
        ("liability", None),
    ]
    assert not any(target.is_needed for target in targets)


def test_what_documents_use_without_an_account_is_needed() -> None:
    uses = {("cost_code", "Concrete"): MappingUse(lines=4), ("asset", "Concrete"): MappingUse(lines=1)}
    rows = [
        a_saved_row("cost_code", "Concrete", "gone", is_broken=True),
        a_saved_row("asset", None, "retained"),
    ]
    targets = {
        (target.profile, target.code is not None): target
        for target in mapping_targets(codes=[a_code("Concrete")], accounts=CHART, rows=rows, uses=uses)
    }
    assert (targets["cost_code", True].state, targets["cost_code", True].is_needed) == ("broken", True)
    # The default answers for stored materials of every code.
    assert (targets["asset", True].state, targets["asset", True].is_needed) == ("mapped", False)


def test_a_mapped_target_gets_no_suggestion() -> None:
    rows = [a_saved_row("cost_code", "Concrete", "labor")]
    first = mapping_targets(codes=[a_code("Concrete")], accounts=CHART, rows=rows, uses={})[0]
    assert (first.state, first.suggestion) == ("mapped", None)
