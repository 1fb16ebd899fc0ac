"""What jobs, cost codes and cost types become in the ledger, and the tax codes of lines."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Text
from api.models.base import ID_EXAMPLE, Shown, Taken

SubjectName = TypeAliasType("SubjectName", Literal["job", "cost_code", "cost_type"])
DimensionListName = TypeAliasType(
    "DimensionListName", Literal["sub_customer", "class", "location", "item", "tracking"]
)
OptionStateName = TypeAliasType("OptionStateName", Literal["making", "ready", "archived", "refused"])
TaxedEntityName = TypeAliasType("TaxedEntityName", Literal["invoice", "bill", "journal_entry"])
RoleName = TypeAliasType("RoleName", Literal["work", "retainage", "stored_materials"])


class DimensionChoice(Taken):
    """One choice: what every job, cost code or cost type becomes."""

    subject: SubjectName
    list: DimensionListName = Field(description="The list of the ledger.", examples=["class"])
    category: Text | None = Field(
        default=None,
        max_length=100,
        description="The tracking category's name, for `tracking`; found by name or made.",
        examples=["Job"],
    )


class TaxCodeChoice(Taken):
    """One choice: the tax code of all lines of one kind of document, or of one role in them."""

    entity: TaxedEntityName
    role: RoleName | None = Field(default=None, description="Null: all lines without a choice of their own.")
    code: Text = Field(
        min_length=1,
        max_length=50,
        description="QuickBooks: TAX, NON or a tax code's name or id. Xero: a tax type or a tax rate's name.",
        examples=["NON"],
    )


class DimensionsIn(Taken):
    """A connection's dimensions and tax codes, to replace the present ones."""

    dimensions: list[DimensionChoice] = Field(max_length=10)
    tax_codes: list[TaxCodeChoice] = Field(default_factory=list, max_length=12)


class DimensionOffer(Shown):
    """What one kind of subject can become at this connection's provider."""

    subject: SubjectName
    lists: list[DimensionListName]


class DimensionsShown(Shown):
    """A connection's dimensions and tax codes."""

    connection_id: UUID = Field(examples=[ID_EXAMPLE])
    dimensions: list[DimensionChoice]
    tax_codes: list[TaxCodeChoice]
    offered: list[DimensionOffer]


class DimensionOption(Shown):
    """What one job, cost code or cost type is in one list of the ledger."""

    subject: SubjectName
    subject_id: str = Field(
        description="A job's or cost code's id, or the cost type itself.", examples=[ID_EXAMPLE]
    )
    label: str = Field(examples=["1204 Maple Street"])
    list: DimensionListName
    category: str | None = None
    state: OptionStateName = Field(
        description="`making`: the ledger has not confirmed it yet · `archived`: its subject is closed · `refused`."
    )
    name: str = Field(description="Its name in the ledger.", examples=["1204 Maple Street"])
    named: str | None = Field(default=None, description="The name that a person chose for it.")
    provider_option_id: str | None = Field(default=None, examples=["5000000000000137024"])
    message: str | None = Field(default=None, description="Why it is not there, in a sentence.")


class DimensionOptions(Shown):
    """The options of a connection."""

    items: list[DimensionOption]


class DimensionNameIn(Taken):
    """Under which name a job, cost code or cost type is found in the ledger."""

    subject: SubjectName
    subject_id: Text = Field(min_length=1, max_length=200, examples=[ID_EXAMPLE])
    list: DimensionListName
    category: Text | None = Field(default=None, max_length=100)
    name: Text | None = Field(
        max_length=100, description="Null: the name made of the subject's own again.", examples=["Maple St"]
    )
