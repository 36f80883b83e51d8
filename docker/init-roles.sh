#!/usr/bin/env bash
# Run once by the PostgreSQL image when its volume is new: the roles and the database of Tonghop.
set -euo pipefail

# The passwords come from the environment inside psql, so that they do not show in the list of processes.
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv owner_password TONGHOP_OWNER_PASSWORD
\getenv server_password TONGHOP_SERVER_PASSWORD
\getenv maintenance_password TONGHOP_MAINTENANCE_PASSWORD

-- Owns the schema; `tonghop migrate` signs in as this role. Forced row-level security blinds it too.
CREATE ROLE tonghop_owner LOGIN PASSWORD :'owner_password' NOBYPASSRLS;
-- Serves: owns nothing; what it may do is granted by `tonghop migrate`.
CREATE ROLE tonghop_server LOGIN PASSWORD :'server_password' NOBYPASSRLS;
-- Dumps: sees the rows of every tenant, and may change none.
CREATE ROLE tonghop_maintenance LOGIN PASSWORD :'maintenance_password' BYPASSRLS;
GRANT pg_read_all_data TO tonghop_maintenance;

CREATE DATABASE tonghop OWNER tonghop_owner TEMPLATE template0 LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8';
REVOKE ALL ON DATABASE tonghop FROM PUBLIC;
GRANT CONNECT ON DATABASE tonghop TO tonghop_server, tonghop_maintenance;
SQL
