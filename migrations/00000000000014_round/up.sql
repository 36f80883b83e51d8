-- The days off and the working Saturdays of a year, by which deadlines are counted. The document
-- also has the days that were off once, so that no deadline that was told moves earlier.
CREATE TABLE holiday_year (
    tenant_id TEXT    NOT NULL,
    year      INTEGER NOT NULL,
    holidays  TEXT    NOT NULL,
    rev       BIGINT  NOT NULL,
    CONSTRAINT holiday_year_pk PRIMARY KEY (tenant_id, year),
    CONSTRAINT holiday_year_tenant_fk FOREIGN KEY (tenant_id) REFERENCES tenant (tenant_id)
);

-- The day on which a paper came in that was entered later; null where no paper was.
ALTER TABLE submission_revision ADD COLUMN received_on DATE;

-- More time that a unit was given for a base period (gia hạn).
CREATE TABLE extension (
    tenant_id  TEXT      NOT NULL,
    form       INTEGER   NOT NULL,
    period     TEXT      NOT NULL,
    unit_id    TEXT      NOT NULL,
    last_day   DATE      NOT NULL,
    reason     TEXT      NOT NULL,
    account_id TEXT      NOT NULL,
    given_at   TIMESTAMP NOT NULL,
    rev        BIGINT    NOT NULL,
    CONSTRAINT extension_pk PRIMARY KEY (tenant_id, form, period, unit_id),
    CONSTRAINT extension_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number),
    CONSTRAINT extension_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id),
    CONSTRAINT extension_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);
