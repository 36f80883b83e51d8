-- From now on texts are kept in Unicode's form C. SQL cannot bring those of before into it on both
-- backends, so that the program does (store/composing.rs). The schema stays as it is.
-- PostgreSQL takes no migration without a statement.
SELECT 1;
