ALTER TABLE submission DROP COLUMN corrected_on;
