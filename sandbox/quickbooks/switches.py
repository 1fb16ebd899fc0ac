"""Every choice the public papers leave open, as a switch; the first value is the default and the stricter."""

from __future__ import annotations

from sandbox.kernel.emulator import Switch

SWITCHES = (
    Switch("consent", ("page", "auto", "deny"), "what /connect/oauth2 does without ?sandbox_consent="),
    Switch("state", ("required", "optional"), "whether an authorize request needs a state"),
    Switch("pkce", ("enforce", "ignore"), "whether a code_challenge that was sent must be met"),
    Switch(
        "code_reuse", ("revoke", "refuse"), "a second exchange of a code also kills the first one's tokens"
    ),
    Switch("old_refresh_token", ("dead", "day_of_grace"), "the old value after a rotation"),
    Switch("requestid_memory", ("forever", "expired"), "whether a request id is still remembered"),
    Switch("requestid_other_body", ("fault", "replay"), "a known request id with other content"),
    Switch("delete_linked", ("refuse", "unlink"), "deleting a paid invoice, bill or credit"),
    Switch("void_style", ("per_entity", "any"), "whether operation=void works beyond invoices"),
    Switch(
        "payment_of_other_customer", ("refuse", "unapplied"), "a payment line on another customer's invoice"
    ),
    Switch("journal_control_lines", ("one", "any"), "A/R or A/P lines in one journal entry"),
    Switch("missing_item", ("refuse", "default_item"), "a sales line without ItemRef"),
    Switch(
        "sparse_references",
        ("required", "kept"),
        "Bill, Purchase and Deposit need their main references on sparse",
    ),
    Switch("class_without_tracking", ("refuse", "drop"), "ClassRef while class tracking is off"),
    Switch("transfer_accounts", ("assets", "any_balance_sheet"), "accounts a transfer may use"),
    Switch("duplicate_numbers", ("refuse", "allow"), "document numbers used twice (6140)"),
    Switch("currency_required", ("yes", "no"), "CurrencyRef in a multi-currency company"),
    Switch("start_position_zero", ("refuse", "allow"), "STARTPOSITION 0"),
    Switch("bare_numbers", ("refuse", "allow"), "unquoted numbers in a query"),
    Switch("attachable_delete", ("full", "id"), "whether deleting an attachable needs the full object"),
    Switch("xml_answers", ("without_json_accept", "never"), "XML for callers that do not accept JSON"),
    Switch("report_cleared", ("column_and_filter", "filter_only"), "whether is_cleared is filled in reports"),
    Switch("retry_after", ("absent", "present"), "a Retry-After header on 429"),
    Switch("webhook_shape", ("cloudevents", "legacy"), "the body of webhooks"),
)
