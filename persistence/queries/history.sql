-- name: History :many
SELECT id, monitor_id, ts, score, step, `offset`, rtt, attributes
FROM log_scores WHERE server_id = ? ORDER BY ts DESC, id DESC LIMIT ?;
