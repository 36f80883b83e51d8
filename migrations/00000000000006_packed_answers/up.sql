-- Answers are kept packed: as text they were more than half of what a submission wrote. What is kept
-- cannot be packed in SQL: a key that was used before the upgrade is new after it. What changes a
-- submission has a condition (If-Match, If-None-Match) and is not done twice all the same.
DROP TABLE idempotency;

CREATE TABLE idempotency (
    tenant_id  TEXT      NOT NULL,
    request    BYTEA     NOT NULL,
    body_hash  BYTEA     NOT NULL,
    answer     BYTEA     NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT idempotency_pk PRIMARY KEY (tenant_id, request),
    CONSTRAINT idempotency_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);
