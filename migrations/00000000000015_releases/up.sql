-- Reports that units sent up (bản báo cáo gửi lên). A unit's releases on a form for a period, base or
-- long, are numbered from 1. This row is the state of one; step is the number of its last step.
CREATE TABLE release (
    tenant_id TEXT      NOT NULL,
    form      INTEGER   NOT NULL,
    period    TEXT      NOT NULL,
    unit_id   TEXT      NOT NULL,
    number    INTEGER   NOT NULL,
    status    TEXT      NOT NULL,
    step      INTEGER   NOT NULL,
    sent_at   TIMESTAMP NOT NULL,
    rev       BIGINT    NOT NULL,
    CONSTRAINT release_pk PRIMARY KEY (tenant_id, form, period, unit_id, number),
    CONSTRAINT release_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number),
    CONSTRAINT release_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id)
);

-- Append-only: the copy that was sent, packed, and the SHA-256 of its text.
CREATE TABLE release_content (
    tenant_id       TEXT    NOT NULL,
    form            INTEGER NOT NULL,
    period          TEXT    NOT NULL,
    unit_id         TEXT    NOT NULL,
    number          INTEGER NOT NULL,
    document_number TEXT,
    hash            BYTEA   NOT NULL,
    content         BYTEA   NOT NULL,
    CONSTRAINT release_content_pk PRIMARY KEY (tenant_id, form, period, unit_id, number),
    CONSTRAINT release_content_release_fk FOREIGN KEY (tenant_id, form, period, unit_id, number) REFERENCES release (tenant_id, form, period, unit_id, number)
);

-- Append-only: what was done with each release, from its sending on.
CREATE TABLE release_step (
    tenant_id  TEXT      NOT NULL,
    form       INTEGER   NOT NULL,
    period     TEXT      NOT NULL,
    unit_id    TEXT      NOT NULL,
    number     INTEGER   NOT NULL,
    step       INTEGER   NOT NULL,
    kind       TEXT      NOT NULL,
    reason     TEXT,
    account_id TEXT      NOT NULL,
    at         TIMESTAMP NOT NULL,
    rev        BIGINT    NOT NULL,
    CONSTRAINT release_step_pk PRIMARY KEY (tenant_id, form, period, unit_id, number, step),
    CONSTRAINT release_step_release_fk FOREIGN KEY (tenant_id, form, period, unit_id, number) REFERENCES release (tenant_id, form, period, unit_id, number),
    CONSTRAINT release_step_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);
