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
