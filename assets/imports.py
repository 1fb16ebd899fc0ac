"""The import asset: what lies in a builder's drop folder goes into the platform, with a report on every file."""

# No postponed annotations in this module: Dagster looks at them without resolving names.
from collections.abc import Sequence

import dagster as dg

from assets.partitions import BUILDERS, ONE_BUILDER_PER_RUN
from assets.previews import accepted_previews
from assets.report import TABLE_ROWS_MAX
from resources.dagster.desk import Desk, Doubt, FileReport

GROUP = "imports"
DROPPED_FILES = dg.AssetKey([GROUP, "dropped_files"])
EVERY_FILE_WENT_IN = "every_file_went_in"
ENTRIES_BALANCE = "imported_entries_balance"


def import_assets() -> list[dg.AssetsDefinition]:
    """Return the asset of the drop folder."""
    with accepted_previews():
        specs = [
            dg.AssetCheckSpec(
                EVERY_FILE_WENT_IN,
                asset=DROPPED_FILES,
                description="Every file was imported; the others wait in `not imported` with what to correct.",
                partitions_def=BUILDERS,
            ),
            dg.AssetCheckSpec(
                ENTRIES_BALANCE,
                asset=DROPPED_FILES,
                description="In every posted journal entry the debits equal the credits.",
                partitions_def=BUILDERS,
            ),
        ]
        return [
            dg.asset(
                key=DROPPED_FILES,
                partitions_def=BUILDERS,
                backfill_policy=ONE_BUILDER_PER_RUN,
                description="Imports the files that were put into a builder's drop folder, each whole or not at all.",
                group_name=GROUP,
                kinds={"csv", "postgres"},
                owners=["team:bookkeeping"],
                check_specs=specs,
            )(_dropped_files)
        ]


def _dropped_files(context: dg.AssetExecutionContext, tieout: dg.ResourceParam[Desk]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants the bare class here
    reports = tieout.import_dropped(context.partition_key)
    left = [each for each in reports if not each.is_imported]
    return dg.MaterializeResult(
        metadata={
            "files": dg.MetadataValue.int(len(reports)),
            "imported": dg.MetadataValue.int(len(reports) - len(left)),
            "documents": dg.MetadataValue.int(sum(each.documents for each in reports)),
            "preview": dg.MetadataValue.table(_table(reports)),
            "problems": dg.MetadataValue.table(_problems(reports)),
        },
        check_results=[
            _result(EVERY_FILE_WENT_IN, [Doubt(each.file_name, each.sentence) for each in left], fine="All went in."),
            _result(
                ENTRIES_BALANCE,
                tieout.unbalanced_entries(context.partition_key),
                fine="Every posted journal entry balances.",
            ),
        ],
    )  # fmt: skip


def _table(reports: Sequence[FileReport]) -> list[dg.TableRecord]:
    return [
        dg.TableRecord(
            {
                "file": each.file_name,
                "holds": each.entity or "unknown",
                "imported": "yes" if each.is_imported else "no",
                "documents": each.documents,
                "problems": each.problem_count,
                "report": each.sentence,
            }
        )
        for each in reports[:TABLE_ROWS_MAX]
    ] or [dg.TableRecord({"file": "none", "report": "Nothing lay in the folder."})]


def _problems(reports: Sequence[FileReport]) -> list[dg.TableRecord]:
    found = [
        dg.TableRecord({"file": each.file_name, "what is wrong": sentence})
        for each in reports
        for sentence in each.problems
    ]
    return found[:TABLE_ROWS_MAX] or [dg.TableRecord({"file": "none", "what is wrong": "nothing"})]


def _result(name: str, doubts: Sequence[Doubt], *, fine: str) -> dg.AssetCheckResult:
    table = [
        dg.TableRecord({"record": doubt.label, "what is wrong": doubt.sentence})
        for doubt in doubts[:TABLE_ROWS_MAX]
    ] or [dg.TableRecord({"record": "none", "what is wrong": "nothing"})]
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=DROPPED_FILES,
        passed=not doubts,
        severity=dg.AssetCheckSeverity.WARN,
        description=fine if not doubts else " ".join(doubt.sentence for doubt in doubts[:3]),
        metadata={"which": dg.MetadataValue.table(table)},
    )
