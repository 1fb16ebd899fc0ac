-- People are told of records that wait until a cause is mended.

-- squawk-ignore ban-drop-constraint
alter table notifications drop constraint notifications_kind_check;
-- squawk-ignore constraint-missing-not-valid
alter table notifications add constraint notifications_kind_check check (kind in (
    'connection_lost', 'refresh_failing', 'access_ending', 'dead_letters', 'held', 'conflicts', 'tie_out_difference',
    'lists_unread', 'outage_began', 'outage_ended', 'webhook_disabled'));
