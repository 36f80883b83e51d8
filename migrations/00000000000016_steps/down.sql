ALTER TABLE submission_revision DROP COLUMN entered_for;
