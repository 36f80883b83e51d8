-- Whether an account entered for its own unit or for one below, as its grants were then. Empty for
-- steps that enter nothing, and for those from before this was recorded.
ALTER TABLE submission_revision ADD COLUMN entered_for TEXT;
