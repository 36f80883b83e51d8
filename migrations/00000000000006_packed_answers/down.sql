DROP TABLE idempotency;

CREATE TABLE idempotency (
    tenant_id  TEXT      NOT NULL,
    request    BYTEA     NOT NULL,
    body_hash  BYTEA     NOT NULL,
    answer     TEXT      NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT idempotency_pk PRIMARY KEY (tenant_id, request),
    CONSTRAINT idempotency_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
