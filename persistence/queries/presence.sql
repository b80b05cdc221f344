-- name: AddressesOf :many
SELECT id, tls_name, ip FROM monitors WHERE type = 'monitor' AND id IN (sqlc.slice('monitors')) ORDER BY id;

-- name: MarkSeen :exec
UPDATE monitors SET last_seen = sqlc.arg(seen), client_version = sqlc.arg(version)
WHERE id = sqlc.arg(id) AND (last_seen IS NULL OR last_seen <= sqlc.arg(seen));

-- name: MarkSubmitted :exec
UPDATE monitors SET last_submit = sqlc.arg(submitted)
WHERE id = sqlc.arg(id) AND (last_submit IS NULL OR last_submit <= sqlc.arg(submitted));

-- name: SetAddress :exec
UPDATE monitors SET ip = ? WHERE id = ?;
