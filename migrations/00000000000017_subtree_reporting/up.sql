-- For which base periods a unit reports for all units below it (báo cáo gộp): those that lie whole in
-- the days. The periods are what somebody wrote; null means until further notice.
CREATE TABLE subtree_reporting (
    tenant_id    TEXT      NOT NULL,
    form         INTEGER   NOT NULL,
    unit_id      TEXT      NOT NULL,
    first_day    DATE      NOT NULL,
    last_day     DATE,
    first_period TEXT      NOT NULL,
    last_period  TEXT,
    account_id   TEXT      NOT NULL,
    arranged_at  TIMESTAMP NOT NULL,
    rev          BIGINT    NOT NULL,
    CONSTRAINT subtree_reporting_pk PRIMARY KEY (tenant_id, form, unit_id, first_day),
    CONSTRAINT subtree_reporting_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number),
    CONSTRAINT subtree_reporting_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id),
    CONSTRAINT subtree_reporting_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);
