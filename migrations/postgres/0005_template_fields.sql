-- What people call the variables of a template: a JSON object, by the variable's name in the text.

-- +goose Up
ALTER TABLE templates ADD COLUMN field_names TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE templates DROP COLUMN field_names;
