-- name: ClosedHours :many
SELECT `hour` FROM closed_hours WHERE `hour` >= sqlc.arg(since) AND `hour` < sqlc.arg(ending) ORDER BY `hour`;

-- name: NewestClosedHours :many
SELECT `hour` FROM closed_hours ORDER BY `hour` DESC LIMIT ?;

-- name: CloseHour :exec
INSERT INTO closed_hours (`hour`) VALUES (?);

-- name: MarkServers :exec
INSERT INTO stale_hours (`hour`, server_id) SELECT CAST(sqlc.arg(at) AS DATETIME), id FROM servers
ON DUPLICATE KEY UPDATE server_id = VALUES(server_id);

-- name: StaleHours :many
SELECT DISTINCT t.`hour` FROM stale_hours t JOIN closed_hours c ON c.`hour` = t.`hour` ORDER BY t.`hour` DESC;

-- name: LockStale :many
SELECT server_id FROM stale_hours WHERE `hour` = ? ORDER BY server_id LIMIT ? FOR UPDATE SKIP LOCKED;

-- name: DropStale :exec
DELETE FROM stale_hours WHERE `hour` = ? AND server_id IN (sqlc.slice('servers'));

-- name: StaleAmong :many
SELECT DISTINCT server_id FROM stale_hours
WHERE `hour` >= sqlc.arg(since) AND `hour` < sqlc.arg(ending) AND server_id IN (sqlc.slice('servers'));

-- name: SumHour :exec
INSERT INTO server_monitor_hours (server_id, monitor_id, `hour`, `count`, count_rtt, count_offset,
  sum_rtt_us, sum_step_pico, sum_offset, min_offset, max_offset)
SELECT l.server_id, l.monitor_id, CAST(sqlc.arg(since) AS DATETIME), COUNT(*), COUNT(l.rtt), COUNT(l.`offset`),
  COALESCE(SUM(l.rtt), 0), SUM(CAST(FLOOR(GREATEST(-1e3, LEAST(l.step, 1e3)) * 1e12 + 5e-1) AS SIGNED)),
  COALESCE(SUM(l.`offset`), 0), MIN(l.`offset`), MAX(l.`offset`)
FROM log_scores l FORCE INDEX (server_ts)
WHERE l.server_id IN (sqlc.slice('servers')) AND l.ts >= sqlc.arg(since) AND l.ts < sqlc.arg(ending)
  AND l.monitor_id NOT IN (sqlc.slice('scorers'))
GROUP BY l.server_id, l.monitor_id
ON DUPLICATE KEY UPDATE `count` = VALUES(`count`), count_rtt = VALUES(count_rtt), count_offset = VALUES(count_offset),
  sum_rtt_us = VALUES(sum_rtt_us), sum_step_pico = VALUES(sum_step_pico), sum_offset = VALUES(sum_offset),
  min_offset = VALUES(min_offset), max_offset = VALUES(max_offset);

-- name: DropFigures :exec
DELETE FROM server_monitor_figures WHERE server_id IN (sqlc.slice('servers'));

-- name: SumFigures :exec
INSERT INTO server_monitor_figures (server_id, monitor_id, `count`, count_rtt, sum_rtt_us, sum_step_pico)
SELECT h.server_id, h.monitor_id, SUM(h.`count`), SUM(h.count_rtt), SUM(h.sum_rtt_us), SUM(h.sum_step_pico)
FROM server_monitor_hours h
WHERE h.server_id IN (sqlc.slice('servers')) AND h.`hour` >= sqlc.arg(since) AND h.`hour` < sqlc.arg(ending)
GROUP BY h.server_id, h.monitor_id;

-- name: StaleHoursBefore :many
SELECT DISTINCT `hour` FROM stale_hours WHERE `hour` < ? ORDER BY `hour`;

-- name: DropClosedBefore :exec
DELETE FROM closed_hours WHERE `hour` < ?;

-- name: IsLogged :one
SELECT EXISTS (SELECT 1 FROM log_scores WHERE ts >= sqlc.arg(since) AND ts < sqlc.arg(ending));

-- name: Clock :one
SELECT NOW(6);
