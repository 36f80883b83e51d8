-- The rev of the last commit that ended a session. The ends have a counter of their own, so that
-- signing out makes no server read all grants again.
ALTER TABLE tenant ADD COLUMN sessions_rev BIGINT NOT NULL DEFAULT 0;
