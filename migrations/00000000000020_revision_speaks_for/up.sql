-- For which units a submission spoke after the step: for its unit, or for all below it too. Empty for
-- steps from before this was recorded.
ALTER TABLE submission_revision ADD COLUMN speaks_for TEXT;
