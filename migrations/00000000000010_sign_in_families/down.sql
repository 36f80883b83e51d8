DROP TABLE refresh_token;
DROP TABLE sign_in;

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
