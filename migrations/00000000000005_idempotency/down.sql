DROP TABLE idempotency;

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
