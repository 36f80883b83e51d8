-- The return, or the reopening, that the unit has still to answer; null once it has, or if there was
-- none. The program fills it in for what is there already, from the revisions
-- (store/given_back.rs).
ALTER TABLE submission ADD COLUMN given_back_revision INTEGER;

-- The few that are late, or the few in time among many that are late, are found by the day on which
-- they came in.
CREATE INDEX submission_received_ix ON submission (tenant_id, form, period, received_on) WHERE counting_revision IS NOT NULL;
-- Few are given back at a time, and few drafts lie over what counts.
CREATE INDEX submission_given_back_ix ON submission (tenant_id, form, period, unit_id) WHERE given_back_revision IS NOT NULL;
CREATE INDEX submission_drafted_over_ix ON submission (tenant_id, form, period, unit_id) WHERE values_revision <> counting_revision;

-- Append-only: each time that a unit was given more time, or that was taken back. The program adds what
-- holds already as the first step (store/extension.rs).
CREATE TABLE extension_step (
    tenant_id  TEXT      NOT NULL,
    form       INTEGER   NOT NULL,
    period     TEXT      NOT NULL,
    unit_id    TEXT      NOT NULL,
    step       INTEGER   NOT NULL,
    kind       TEXT      NOT NULL,
    last_day   DATE,
    reason     TEXT,
    account_id TEXT      NOT NULL,
    taken_at   TIMESTAMP NOT NULL,
    rev        BIGINT    NOT NULL,
    CONSTRAINT extension_step_pk PRIMARY KEY (tenant_id, form, period, unit_id, step),
    CONSTRAINT extension_step_form_fk FOREIGN KEY (tenant_id, form) REFERENCES form (tenant_id, number),
    CONSTRAINT extension_step_unit_fk FOREIGN KEY (tenant_id, unit_id) REFERENCES unit (tenant_id, unit_id),
    CONSTRAINT extension_step_account_fk FOREIGN KEY (tenant_id, account_id) REFERENCES account (tenant_id, account_id)
);
