ALTER TABLE tenant DROP COLUMN totals_edition;
