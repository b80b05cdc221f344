-- name: AccountNamed :one
SELECT id FROM accounts WHERE name = ? ORDER BY id LIMIT 1;

-- name: AddAccount :execlastid
INSERT INTO accounts (name) VALUES (?);

-- name: ServerAt :one
SELECT id, port, deletion_on FROM servers WHERE ip = ?;

-- name: AddServer :execlastid
INSERT INTO servers (ip, port, ip_version, account_id, hostname) VALUES (?, ?, ?, ?, ?);

-- name: SetShard :exec
UPDATE servers SET shard = id MOD 256 WHERE id = ?;

-- name: ReviveServer :exec
UPDATE servers SET port = ?, account_id = ?, hostname = ?, deletion_on = NULL WHERE id = ?;

-- name: DeletionOf :one
SELECT deletion_on FROM servers WHERE id = ? FOR UPDATE;

-- name: RemoveServer :exec
UPDATE servers SET deletion_on = ? WHERE id = ?;

-- name: ServerListings :many
SELECT s.id, s.ip, s.port, s.account_id, s.hostname, s.stratum, s.score_ts, s.score_raw, s.deletion_on,
  CAST(COALESCE(SUM(p.status = 'active'), 0) AS SIGNED) AS active,
  CAST(COALESCE(SUM(p.status = 'testing'), 0) AS SIGNED) AS testing
FROM servers s LEFT JOIN (
  SELECT q.server_id, q.status FROM server_scores q JOIN monitors m ON m.id = q.monitor_id WHERE m.type = 'monitor'
) p ON p.server_id = s.id
GROUP BY s.id, s.ip, s.port, s.account_id, s.hostname, s.stratum, s.score_ts, s.score_raw, s.deletion_on
ORDER BY s.id;

-- name: AccountFlags :one
SELECT flags FROM accounts WHERE id = ?;

-- name: CountMonitors :one
SELECT COUNT(*) FROM monitors WHERE type = 'monitor' AND status <> 'deleted' AND account_id = ?;

-- name: AddAgent :exec
INSERT INTO agents (name, account_id, shard, certificate_serial, revoked, session) VALUES (?, ?, ?, ?, ?, ?);

-- name: AddMonitor :exec
INSERT INTO monitors (type, account_id, hostname, ip, ip_version, tls_name, status, config)
VALUES ('monitor', ?, ?, ?, ?, ?, ?, ?);

-- name: Agents :many
SELECT name, account_id, certificate_serial, revoked, session FROM agents ORDER BY name;

-- name: MonitorListings :many
SELECT m.id, m.tls_name, m.account_id, m.ip_version, m.ip, m.status, m.config, m.last_seen,
  m.location, m.last_submit, m.client_version
FROM monitors m JOIN agents a ON a.name = m.tls_name
WHERE m.type = 'monitor' ORDER BY m.tls_name, m.ip_version;

-- name: MonitorForUpdate :one
SELECT tls_name, account_id, ip, status, config, location FROM monitors
WHERE id = ? AND type = 'monitor' FOR UPDATE;

-- name: SetMonitor :exec
UPDATE monitors SET account_id = ?, ip = ?, status = ?, config = ?, location = ?, deleted_on = ?, is_current = ?
WHERE id = ?;

-- name: AccountListings :many
SELECT a.id, a.name, a.flags,
  (SELECT COUNT(*) FROM servers s WHERE s.account_id = a.id AND s.deletion_on IS NULL) AS servers,
  (SELECT COUNT(*) FROM monitors m WHERE m.account_id = a.id AND m.type = 'monitor' AND m.status <> 'deleted') AS monitors
FROM accounts a ORDER BY a.id;

-- name: AccountForUpdate :one
SELECT name, flags FROM accounts WHERE id = ? FOR UPDATE;

-- name: SetAccount :exec
UPDATE accounts SET name = ?, flags = ? WHERE id = ?;

-- name: OtherAccountNamed :one
SELECT EXISTS (SELECT 1 FROM accounts WHERE name = ? AND id <> ?);
