-- name: LockChanges :one
SELECT id FROM changes WHERE id = 1 FOR UPDATE;

-- name: AddChange :exec
INSERT INTO changes (kind, `key`, who, what) VALUES (?, ?, ?, ?);

-- name: ChangesAfter :many
SELECT id, kind, `key` FROM changes WHERE id > ? ORDER BY id;

-- name: LatestChange :one
SELECT CAST(COALESCE(MAX(id), 0) AS UNSIGNED) FROM changes;
