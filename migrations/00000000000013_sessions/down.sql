ALTER TABLE tenant DROP COLUMN sessions_rev;
