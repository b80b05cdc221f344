-- name: Monitors :many
SELECT m.id, m.tls_name, m.account_id, m.ip_version, m.ip, m.status, m.config, m.last_seen
FROM monitors m WHERE m.type = 'monitor' AND m.status <> 'deleted' ORDER BY m.id;

-- name: Scorers :many
SELECT id, hostname FROM monitors WHERE type = 'score' ORDER BY id;

-- name: Accounts :many
SELECT id, name, flags FROM accounts ORDER BY id;

-- name: Setting :one
SELECT value FROM system_settings WHERE `key` = ?;

-- name: PutSetting :exec
INSERT INTO system_settings (`key`, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value);
