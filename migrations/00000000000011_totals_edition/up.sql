-- By which edition of the program's rules a tenant's totals are kept; 0 is that of before. A server or
-- a command makes the totals of an older edition anew, once (service/renewal.rs).
ALTER TABLE tenant ADD COLUMN totals_edition INTEGER NOT NULL DEFAULT 0;
