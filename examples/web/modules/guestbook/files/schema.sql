-- Run at every start: each step says for itself whether it is still to do.
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS entries (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    written timestamptz NOT NULL DEFAULT now(),
    guest   text NOT NULL CHECK (length(guest) BETWEEN 1 AND 100),
    message text NOT NULL CHECK (length(message) BETWEEN 1 AND 1000)
);
INSERT INTO entries (guest, message)
SELECT 'PostgreSQL', 'Nobody has written here yet.' WHERE NOT EXISTS (SELECT FROM entries);
