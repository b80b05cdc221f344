-- name: ServersOfShards :many
SELECT id, ip, port, account_id, hostname, stratum, score_ts, score_raw, deletion_on
FROM servers WHERE shard IN (sqlc.slice('shards')) ORDER BY id;

-- name: Server :one
SELECT id, ip, port, account_id, hostname, stratum, score_ts, score_raw, deletion_on
FROM servers WHERE id = ?;

-- name: PairsOfShards :many
SELECT p.monitor_id, p.server_id, p.score_ts, p.score_raw, p.stratum, p.status,
  p.constraint_violation_type, p.constraint_violation_since, p.last_constraint_check, p.pause_reason,
  p.interval_ms, p.phase_ms, p.window_ms, p.log_id, p.log_ts, p.log_score, p.log_step, p.log_rtt
FROM server_scores p JOIN servers s ON s.id = p.server_id
WHERE s.shard IN (sqlc.slice('shards')) ORDER BY p.server_id, p.monitor_id;

-- name: PairsOfServer :many
SELECT p.monitor_id, p.server_id, p.score_ts, p.score_raw, p.stratum, p.status,
  p.constraint_violation_type, p.constraint_violation_since, p.last_constraint_check, p.pause_reason,
  p.interval_ms, p.phase_ms, p.window_ms, p.log_id, p.log_ts, p.log_score, p.log_step, p.log_rtt
FROM server_scores p WHERE p.server_id = ? ORDER BY p.monitor_id;

-- name: ReviewsOfShards :many
SELECT r.server_id, r.last_review, r.next_review, r.last_change
FROM servers_monitor_review r JOIN servers s ON s.id = r.server_id
WHERE s.shard IN (sqlc.slice('shards')) ORDER BY r.server_id;

-- name: ReviewOfServer :one
SELECT r.server_id, r.last_review, r.next_review, r.last_change
FROM servers_monitor_review r WHERE r.server_id = ?;

-- name: AgentsOfShards :many
SELECT name, account_id, certificate_serial, revoked, session
FROM agents WHERE shard IN (sqlc.slice('shards')) ORDER BY name;

-- name: Agent :one
SELECT name, account_id, certificate_serial, revoked, session
FROM agents WHERE name = ?;

-- name: MonitorsOfShards :many
SELECT m.id, m.tls_name, m.account_id, m.ip_version, m.ip, m.status, m.config, m.last_seen
FROM monitors m JOIN agents a ON a.name = m.tls_name
WHERE m.type = 'monitor' AND a.shard IN (sqlc.slice('shards')) ORDER BY m.tls_name, m.ip_version;

-- name: MonitorsOfAgent :many
SELECT m.id, m.tls_name, m.account_id, m.ip_version, m.ip, m.status, m.config, m.last_seen
FROM monitors m WHERE m.type = 'monitor' AND m.tls_name = ? ORDER BY m.ip_version;

-- name: AssignedOfShards :many
SELECT m.tls_name, p.server_id, s.ip, s.port, p.monitor_id, p.status, p.interval_ms, p.phase_ms, p.window_ms
FROM agents a JOIN monitors m ON m.tls_name = a.name
  JOIN server_scores p ON p.monitor_id = m.id JOIN servers s ON s.id = p.server_id
WHERE m.type = 'monitor' AND p.interval_ms IS NOT NULL AND a.shard IN (sqlc.slice('shards'))
ORDER BY p.server_id, p.monitor_id;

-- name: AssignedOfAgent :many
SELECT m.tls_name, p.server_id, s.ip, s.port, p.monitor_id, p.status, p.interval_ms, p.phase_ms, p.window_ms
FROM monitors m JOIN server_scores p ON p.monitor_id = m.id JOIN servers s ON s.id = p.server_id
WHERE m.type = 'monitor' AND p.interval_ms IS NOT NULL AND m.tls_name = ?
ORDER BY p.server_id, p.monitor_id;
