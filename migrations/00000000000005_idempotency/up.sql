-- One short key finds a request: request is the SHA-256 of the account, the operation, the path and
-- the Idempotency-Key, so that many are looked up at once and a row holds none of them twice.
-- Answers that are kept cannot be brought over (SQL has no SHA-256 on both backends): a key that was
-- used before the upgrade is new after it. What changes a submission has a condition (If-Match,
-- If-None-Match) and is not done twice all the same. There is no index by time: PostgreSQL took it
-- to find a request of a tenant that its statistics did not know yet, and old answers are looked
-- for once an hour.
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
