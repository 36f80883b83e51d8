-- What changed the map (sắp xếp đơn vị hành chính): the document as it was given, how many units came
-- to be, changed and ended, and in changes what has to be known to take it back. undone_rev is the rev
-- that took it back.
CREATE TABLE reorganisation (
    tenant_id         TEXT      NOT NULL,
    reorganisation_id TEXT      NOT NULL,
    effective         DATE      NOT NULL,
    legal_basis       TEXT      NOT NULL,
    document          TEXT      NOT NULL,
    changes           TEXT      NOT NULL,
    created           INTEGER   NOT NULL,
    changed           INTEGER   NOT NULL,
    ended             INTEGER   NOT NULL,
    account_id        TEXT      NOT NULL,
    entered_at        TIMESTAMP NOT NULL,
    rev               BIGINT    NOT NULL,
    undone_by         TEXT,
    undone_at         TIMESTAMP,
    undone_rev        BIGINT,
    CONSTRAINT reorganisation_pk PRIMARY KEY (tenant_id, reorganisation_id),
    CONSTRAINT reorganisation_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id),
    CONSTRAINT reorganisation_undone_fk FOREIGN KEY (tenant_id, undone_by) REFERENCES account (tenant_id, account_id)
);

CREATE INDEX reorganisation_effective_ix ON reorganisation (tenant_id, effective);

-- Who took over what of whom. step is 0 for what passes first, part counts all of the document; a
-- share is a fraction, and null where nobody knows it.
CREATE TABLE succession (
    tenant_id         TEXT    NOT NULL,
    reorganisation_id TEXT    NOT NULL,
    step              INTEGER NOT NULL,
    part              INTEGER NOT NULL,
    effective         DATE    NOT NULL,
    rev               BIGINT  NOT NULL,
    from_id           TEXT    NOT NULL,
    to_id             TEXT    NOT NULL,
    numerator         BIGINT,
    denominator       BIGINT,
    CONSTRAINT succession_pk PRIMARY KEY (tenant_id, reorganisation_id, step, part),
    CONSTRAINT succession_reorganisation_fk FOREIGN KEY (tenant_id, reorganisation_id) REFERENCES reorganisation (tenant_id, reorganisation_id),
    CONSTRAINT succession_from_fk FOREIGN KEY (tenant_id, from_id) REFERENCES unit (tenant_id, unit_id),
    CONSTRAINT succession_to_fk FOREIGN KEY (tenant_id, to_id) REFERENCES unit (tenant_id, unit_id)
);

-- Whether a grant was made after a reorganisation of its unit.
ALTER TABLE account_grant ADD COLUMN rev BIGINT NOT NULL DEFAULT 0;
