-- Version 4. The newest form of events that may stand in the journal; see NodeRegistry.form.
ALTER TABLE incarnation ADD COLUMN form integer NOT NULL DEFAULT 1;
