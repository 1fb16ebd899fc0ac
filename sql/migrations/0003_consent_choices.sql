-- A consent that opens several companies waits here for a person's choice, its tokens sealed.
alter table oauth_attempts
    add column choices jsonb,
    add column choice_tokens_encrypted text,
    add column choice_expires_at timestamptz;
