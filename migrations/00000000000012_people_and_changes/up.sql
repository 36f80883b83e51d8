-- People: accounts that can be changed, invited and disabled; programs with keys. Columns that are
-- null mean: no telephone, not disabled, never signed in, a grant without a first or last day.
ALTER TABLE account ADD COLUMN kind TEXT NOT NULL DEFAULT 'person';
ALTER TABLE account ADD COLUMN telephone TEXT;
ALTER TABLE account ADD COLUMN disabled_at TIMESTAMP;
ALTER TABLE account ADD COLUMN last_signed_in TIMESTAMP;
ALTER TABLE account ADD COLUMN rev BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account_grant ADD COLUMN valid_from DATE;
ALTER TABLE account_grant ADD COLUMN valid_to DATE;

-- A session is a sign-in that its owner can see and end. An ended one stays until the last access
-- token of it has expired.
ALTER TABLE sign_in ADD COLUMN started_at TIMESTAMP;
ALTER TABLE sign_in ADD COLUMN used_at TIMESTAMP;
ALTER TABLE sign_in ADD COLUMN agent TEXT;
ALTER TABLE sign_in ADD COLUMN ended_at TIMESTAMP;
CREATE INDEX sign_in_account_ix ON sign_in (tenant_id, account_id);

-- A one-time code for a first or a forgotten password; an account has one at most. Only its hash is
-- stored.
CREATE TABLE invitation (
    tenant_id  TEXT      NOT NULL,
    account_id TEXT      NOT NULL,
    code_hash  TEXT      NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    CONSTRAINT invitation_pk PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT invitation_code_uq UNIQUE (tenant_id, code_hash),
    CONSTRAINT invitation_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);

-- A program's key. The program is an account of kind 'program', so that grants and authors are the
-- same as for people. Only the hash of the secret is stored.
CREATE TABLE api_key (
    tenant_id   TEXT      NOT NULL,
    account_id  TEXT      NOT NULL,
    name        TEXT      NOT NULL,
    prefix      TEXT      NOT NULL,
    secret_hash TEXT      NOT NULL,
    unit_id     TEXT,
    operations  TEXT      NOT NULL,
    last_day    DATE      NOT NULL,
    created_by  TEXT      NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    last_used   TIMESTAMP,
    deleted_at  TIMESTAMP,
    CONSTRAINT api_key_pk PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT api_key_secret_uq UNIQUE (tenant_id, secret_hash),
    CONSTRAINT api_key_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id),
    CONSTRAINT api_key_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id)
);

-- Attempts to sign in, apart from the tenant's history; the oldest go.
CREATE TABLE sign_in_attempt (
    tenant_id  TEXT      NOT NULL,
    attempt_id TEXT      NOT NULL,
    at         TIMESTAMP NOT NULL,
    login      TEXT      NOT NULL,
    account_id TEXT,
    outcome    TEXT      NOT NULL,
    address    TEXT,
    CONSTRAINT sign_in_attempt_pk PRIMARY KEY (tenant_id, attempt_id),
    CONSTRAINT sign_in_attempt_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
CREATE INDEX sign_in_attempt_account_ix ON sign_in_attempt (tenant_id, account_id);

-- One row a commit: what it did, chained by hashes. Append-only. A tenant from before has no row for
-- its earlier revs; changes_from is the first rev that has one, and null while there is none.
CREATE TABLE change (
    tenant_id TEXT      NOT NULL,
    rev       BIGINT    NOT NULL,
    at        TIMESTAMP NOT NULL,
    items     BYTEA     NOT NULL,
    previous  BYTEA     NOT NULL,
    hash      BYTEA     NOT NULL,
    CONSTRAINT change_pk PRIMARY KEY (tenant_id, rev),
    CONSTRAINT change_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
ALTER TABLE tenant ADD COLUMN changes_from BIGINT;
