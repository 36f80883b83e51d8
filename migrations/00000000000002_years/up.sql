-- No database was in use before this table was there, so nothing has to be filled in.
-- All long periods of a year (quarters, halves, nine months, the year) in one row a unit, its cells
-- packed: the report of any of them is one key read, and a submission writes one row an ancestor.
CREATE TABLE rollup_year (
    tenant_id TEXT    NOT NULL,
    form      INTEGER NOT NULL,
    year      INTEGER NOT NULL,
    unit_id   TEXT    NOT NULL,
    cells     BYTEA   NOT NULL,
    rev       BIGINT  NOT NULL,
    CONSTRAINT rollup_year_pk PRIMARY KEY (tenant_id, form, year, unit_id),
    CONSTRAINT rollup_year_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number),
    CONSTRAINT rollup_year_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id)
);
