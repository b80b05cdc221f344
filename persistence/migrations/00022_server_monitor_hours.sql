-- +goose Up
CREATE TABLE IF NOT EXISTS server_monitor_hours (
  server_id     int unsigned NOT NULL COMMENT 'which server',
  monitor_id    int unsigned NOT NULL COMMENT 'as seen by which monitor',
  `hour`        datetime     NOT NULL COMMENT 'its beginning, in UTC',
  `count`       int unsigned NOT NULL DEFAULT 0 COMMENT 'samples',
  count_rtt     int unsigned NOT NULL DEFAULT 0 COMMENT 'those with an rtt',
  count_offset  int unsigned NOT NULL DEFAULT 0 COMMENT 'those with an offset',
  sum_rtt_us    bigint       NOT NULL DEFAULT 0 COMMENT 'of the RTTs, in microseconds',
  sum_step_pico bigint       NOT NULL DEFAULT 0 COMMENT 'of the steps, each in whole 1e-12 and between -1000 and 1000: exact in any order',
  sum_offset    double       NOT NULL DEFAULT 0 COMMENT 'of the offsets, in seconds',
  min_offset    double       DEFAULT NULL COMMENT 'the least offset, in seconds',
  max_offset    double       DEFAULT NULL COMMENT 'the greatest offset, in seconds',
  PRIMARY KEY (server_id, `hour`, monitor_id),
  KEY `hour` (`hour`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='counts and sums of closed hours, scorers left out: what selection is based on, and the history';
