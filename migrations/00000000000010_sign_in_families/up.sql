-- All that comes of one sign-in is a family. It remembers which of its tokens was used last: that one
-- and its children serve, so that an answer that was lost can be asked for again. Of the tokens that
-- are there nothing says whose children they are: everybody signs in once more after the upgrade.
DROP TABLE refresh_token;

CREATE TABLE sign_in (
    tenant_id  TEXT      NOT NULL,
    family_id  TEXT      NOT NULL,
    account_id TEXT      NOT NULL,
    ends_at    TIMESTAMP NOT NULL,
    last_used  TEXT,
    CONSTRAINT sign_in_pk PRIMARY KEY (tenant_id, family_id),
    CONSTRAINT sign_in_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);

CREATE INDEX sign_in_ends_ix ON sign_in (tenant_id, ends_at);

-- Only a token's hash is kept, and that of the token that it was given for.
CREATE TABLE refresh_token (
    tenant_id   TEXT      NOT NULL,
    token_hash  TEXT      NOT NULL,
    family_id   TEXT      NOT NULL,
    parent_hash TEXT,
    expires_at  TIMESTAMP NOT NULL,
    CONSTRAINT refresh_token_pk PRIMARY KEY (tenant_id, token_hash),
    CONSTRAINT refresh_token_family_fk FOREIGN KEY (tenant_id, family_id) REFERENCES sign_in (tenant_id, family_id)
);

CREATE INDEX refresh_token_family_ix ON refresh_token (tenant_id, family_id);
CREATE INDEX refresh_token_expires_ix ON refresh_token (tenant_id, expires_at);
