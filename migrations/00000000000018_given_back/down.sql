DROP TABLE extension_step;
DROP INDEX submission_drafted_over_ix;
DROP INDEX submission_given_back_ix;
DROP INDEX submission_received_ix;
ALTER TABLE submission DROP COLUMN given_back_revision;
