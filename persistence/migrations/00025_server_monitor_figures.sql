-- +goose Up
CREATE TABLE IF NOT EXISTS server_monitor_figures (
  server_id     int unsigned NOT NULL COMMENT 'which server',
  monitor_id    int unsigned NOT NULL COMMENT 'as seen by which monitor',
  `count`       int unsigned NOT NULL DEFAULT 0 COMMENT 'samples',
  count_rtt     int unsigned NOT NULL DEFAULT 0 COMMENT 'those with an rtt',
  sum_rtt_us    bigint       NOT NULL DEFAULT 0 COMMENT 'of the RTTs, in microseconds',
  sum_step_pico bigint       NOT NULL DEFAULT 0 COMMENT 'of the steps, in 1e-12',
  PRIMARY KEY (server_id, monitor_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='sums of server_monitor_hours over the newest closed hour and the 23 before it, for servers that none of these is stale for';
