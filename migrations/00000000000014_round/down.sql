DROP TABLE extension;
ALTER TABLE submission_revision DROP COLUMN received_on;
DROP TABLE holiday_year;
