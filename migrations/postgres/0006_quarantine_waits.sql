-- Every page of the administrator's counts the calls in quarantine that wait.

-- +goose Up
CREATE INDEX quarantines_waiting ON quarantines (reason) WHERE replayed_at IS NULL AND discarded_at IS NULL;

-- +goose Down
DROP INDEX quarantines_waiting;
