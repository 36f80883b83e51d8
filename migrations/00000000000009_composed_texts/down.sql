-- What is composed is right in the schema of before too.
-- PostgreSQL takes no migration without a statement.
SELECT 1;
