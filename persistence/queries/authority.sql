-- name: Secret :one
SELECT secret FROM authority WHERE name = ?;

-- name: AddSecret :exec
INSERT IGNORE INTO authority (name, secret) VALUES (?, ?);
