ALTER TABLE submission_revision DROP COLUMN speaks_for;
