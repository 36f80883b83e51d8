ALTER TABLE account_grant DROP COLUMN rev;
DROP TABLE succession;
DROP TABLE reorganisation;
