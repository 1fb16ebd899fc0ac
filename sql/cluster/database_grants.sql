-- What the roles may do with the product's database as a whole; rights on tables are given by the migrations.
revoke create on schema public from public;
grant usage, create on schema public to tieout_owner;
grant usage on schema public to tieout_app, tieout_scheduler;
