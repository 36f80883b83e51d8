-- What a unit was given to reach (kế hoạch giao): an indicator's total or option for a period, base
-- or long. The mantissa is at the indicator's decimals.
CREATE TABLE target (
    tenant_id  TEXT      NOT NULL,
    form       INTEGER   NOT NULL,
    period     TEXT      NOT NULL,
    unit_id    TEXT      NOT NULL,
    indicator  INTEGER   NOT NULL,
    option     INTEGER   NOT NULL,
    mantissa   BIGINT,
    account_id TEXT      NOT NULL,
    set_at     TIMESTAMP NOT NULL,
    rev        BIGINT    NOT NULL,
    CONSTRAINT target_pk PRIMARY KEY (tenant_id, form, period, unit_id, indicator, option),
    CONSTRAINT target_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number),
    CONSTRAINT target_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id),
    CONSTRAINT target_indicator_fk FOREIGN KEY (tenant_id, indicator) REFERENCES indicator (tenant_id, number),
    CONSTRAINT target_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);
