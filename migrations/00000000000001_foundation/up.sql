-- Written for SQLite and PostgreSQL alike: portable column types, named constraints, no triggers,
-- no sequences, tenant_id first in every key. Ids are UUIDv7 as text, times are UTC, days are dates
-- with both ends included.

-- The only table without row-level security: from a tenant's short name to its id.
CREATE TABLE tenant_registry (
    slug       TEXT      NOT NULL,
    id         TEXT      NOT NULL,
    name       TEXT      NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT tenant_registry_pk PRIMARY KEY (slug),
    CONSTRAINT tenant_registry_id_uq UNIQUE (id)
);

-- One row a tenant: the mutex of its writes and the order of everything in it.
CREATE TABLE tenant (
    tenant_id     TEXT    NOT NULL,
    rev           BIGINT  NOT NULL,
    tree_rev      BIGINT  NOT NULL,
    catalogue_rev BIGINT  NOT NULL,
    grants_rev    BIGINT  NOT NULL,
    time_zone     TEXT    NOT NULL,
    CONSTRAINT tenant_pk PRIMARY KEY (tenant_id)
);

CREATE TABLE level (
    tenant_id  TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    rank       INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    valid_from DATE    NOT NULL,
    valid_to   DATE,
    CONSTRAINT level_pk PRIMARY KEY (tenant_id, code),
    CONSTRAINT level_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE unit (
    tenant_id TEXT   NOT NULL,
    unit_id   TEXT   NOT NULL,
    rev       BIGINT NOT NULL,
    CONSTRAINT unit_pk PRIMARY KEY (tenant_id, unit_id),
    CONSTRAINT unit_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);

-- What a unit is during some days. A unit's facts do not overlap.
CREATE TABLE unit_fact (
    tenant_id  TEXT   NOT NULL,
    unit_id    TEXT   NOT NULL,
    valid_from DATE   NOT NULL,
    valid_to   DATE,
    code       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    kind       TEXT,
    level      TEXT   NOT NULL,
    parent_id  TEXT,
    rev        BIGINT NOT NULL,
    CONSTRAINT unit_fact_pk PRIMARY KEY (tenant_id, unit_id, valid_from),
    CONSTRAINT unit_fact_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id),
    CONSTRAINT unit_fact_parent_fk FOREIGN KEY (tenant_id, parent_id) REFERENCES unit (tenant_id, unit_id),
    CONSTRAINT unit_fact_level_fk FOREIGN KEY (tenant_id, level) REFERENCES level (tenant_id, code)
);

CREATE TABLE account (
    tenant_id     TEXT      NOT NULL,
    account_id    TEXT      NOT NULL,
    login         TEXT      NOT NULL,
    name          TEXT      NOT NULL,
    password_hash TEXT      NOT NULL,
    created_at    TIMESTAMP NOT NULL,
    CONSTRAINT account_pk PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT account_login_uq UNIQUE (tenant_id, login),
    CONSTRAINT account_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);

-- A role on a unit's subtree, or on the whole tenant where unit_id is null.
CREATE TABLE account_grant (
    tenant_id  TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    account_id TEXT NOT NULL,
    role       TEXT NOT NULL,
    unit_id    TEXT,
    CONSTRAINT account_grant_pk PRIMARY KEY (tenant_id, grant_id),
    CONSTRAINT account_grant_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id),
    CONSTRAINT account_grant_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id)
);

CREATE INDEX account_grant_account_ix ON account_grant (tenant_id, account_id);

-- A refresh token serves once. Only its hash is kept.
CREATE TABLE refresh_token (
    tenant_id  TEXT      NOT NULL,
    token_hash TEXT      NOT NULL,
    account_id TEXT      NOT NULL,
    family_id  TEXT      NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at    TIMESTAMP,
    CONSTRAINT refresh_token_pk PRIMARY KEY (tenant_id, token_hash),
    CONSTRAINT refresh_token_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);

CREATE INDEX refresh_token_family_ix ON refresh_token (tenant_id, family_id);
CREATE INDEX refresh_token_expires_ix ON refresh_token (tenant_id, expires_at);

-- Numbers are given once in a tenant and never reused: packed cells hold them.
CREATE TABLE indicator (
    tenant_id TEXT    NOT NULL,
    number    INTEGER NOT NULL,
    code      TEXT    NOT NULL,
    CONSTRAINT indicator_pk PRIMARY KEY (tenant_id, number),
    CONSTRAINT indicator_code_uq UNIQUE (tenant_id, code),
    CONSTRAINT indicator_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE indicator_option (
    tenant_id TEXT    NOT NULL,
    indicator INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    code      TEXT    NOT NULL,
    CONSTRAINT indicator_option_pk PRIMARY KEY (tenant_id, indicator, number),
    CONSTRAINT indicator_option_code_uq UNIQUE (tenant_id, indicator, code),
    CONSTRAINT indicator_option_indicator_fk FOREIGN KEY (tenant_id, indicator) REFERENCES indicator (tenant_id, number)
);

CREATE TABLE indicator_version (
    tenant_id  TEXT    NOT NULL,
    indicator  INTEGER NOT NULL,
    valid_from DATE    NOT NULL,
    definition TEXT    NOT NULL,
    rev        BIGINT  NOT NULL,
    CONSTRAINT indicator_version_pk PRIMARY KEY (tenant_id, indicator, valid_from),
    CONSTRAINT indicator_version_indicator_fk FOREIGN KEY (tenant_id, indicator) REFERENCES indicator (tenant_id, number)
);

CREATE TABLE form (
    tenant_id TEXT    NOT NULL,
    number    INTEGER NOT NULL,
    code      TEXT    NOT NULL,
    CONSTRAINT form_pk PRIMARY KEY (tenant_id, number),
    CONSTRAINT form_code_uq UNIQUE (tenant_id, code),
    CONSTRAINT form_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE form_version (
    tenant_id  TEXT    NOT NULL,
    form       INTEGER NOT NULL,
    valid_from DATE    NOT NULL,
    definition TEXT    NOT NULL,
    rev        BIGINT  NOT NULL,
    CONSTRAINT form_version_pk PRIMARY KEY (tenant_id, form, valid_from),
    CONSTRAINT form_version_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number)
);

-- Where a submission stands. values_revision holds its latest values; counting_revision those that
-- count in the rollups, if any do, and counting_rev is the rev that last changed what counts.
-- speaks_for says which units it speaks for.
CREATE TABLE submission (
    tenant_id         TEXT    NOT NULL,
    form              INTEGER NOT NULL,
    period            TEXT    NOT NULL,
    unit_id           TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    revision          INTEGER NOT NULL,
    values_revision   INTEGER NOT NULL,
    counting_revision INTEGER,
    speaks_for        TEXT    NOT NULL,
    received_on       DATE,
    rev               BIGINT  NOT NULL,
    counting_rev      BIGINT  NOT NULL,
    CONSTRAINT submission_pk PRIMARY KEY (tenant_id, form, period, unit_id),
    CONSTRAINT submission_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number),
    CONSTRAINT submission_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id)
);

-- Append-only: every step of every submission, with the values where the step brought some.
CREATE TABLE submission_revision (
    tenant_id  TEXT      NOT NULL,
    form       INTEGER   NOT NULL,
    period     TEXT      NOT NULL,
    unit_id    TEXT      NOT NULL,
    revision   INTEGER   NOT NULL,
    step       TEXT      NOT NULL,
    status     TEXT      NOT NULL,
    facts      BYTEA,
    narrative  TEXT,
    reason     TEXT,
    account_id TEXT      NOT NULL,
    entered_at TIMESTAMP NOT NULL,
    rev        BIGINT    NOT NULL,
    CONSTRAINT submission_revision_pk PRIMARY KEY (tenant_id, form, period, unit_id, revision),
    CONSTRAINT submission_revision_submission_fk FOREIGN KEY (tenant_id, form, period, unit_id) REFERENCES submission (tenant_id, form, period, unit_id),
    CONSTRAINT submission_revision_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);

-- One row is one report: a unit's totals on a form for a base period, its cells packed. A unit
-- without children has none, its own submission is its rollup.
CREATE TABLE rollup (
    tenant_id TEXT    NOT NULL,
    form      INTEGER NOT NULL,
    period    TEXT    NOT NULL,
    unit_id   TEXT    NOT NULL,
    cells     BYTEA   NOT NULL,
    rev       BIGINT  NOT NULL,
    CONSTRAINT rollup_pk PRIMARY KEY (tenant_id, form, period, unit_id),
    CONSTRAINT rollup_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number),
    CONSTRAINT rollup_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id)
);

-- The answers of requests that carried an Idempotency-Key, kept for seven days.
CREATE TABLE idempotency (
    tenant_id  TEXT      NOT NULL,
    account_id TEXT      NOT NULL,
    operation  TEXT      NOT NULL,
    path       TEXT      NOT NULL,
    key        TEXT      NOT NULL,
    body_hash  TEXT      NOT NULL,
    answer     TEXT      NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT idempotency_pk PRIMARY KEY (tenant_id, account_id, operation, path, key),
    CONSTRAINT idempotency_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);

CREATE INDEX idempotency_created_ix ON idempotency (tenant_id, created_at);
