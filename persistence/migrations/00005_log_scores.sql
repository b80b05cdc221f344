-- +goose Up
CREATE TABLE IF NOT EXISTS log_scores (
  id         bigint unsigned NOT NULL AUTO_INCREMENT COMMENT 'of one server: in the order in which its samples were scored',
  monitor_id int unsigned    NOT NULL,
  server_id  int unsigned    NOT NULL,
  ts         datetime(6)     NOT NULL COMMENT 'when the sample was taken, by the monitor''s clock',
  score      double          NOT NULL DEFAULT 0 COMMENT 'score after this sample; of a late one, the score that it did not change',
  step       double          NOT NULL DEFAULT 0,
  `offset`   double          DEFAULT NULL COMMENT 'server minus local clock, in seconds; NULL: none measured',
  rtt        int             DEFAULT NULL COMMENT 'round-trip delay in microseconds; NULL: nothing came back',
  attributes text            DEFAULT NULL COMMENT 'JSON: leap, stratum, no_response, error, warning, late, from_ls_id, from_ss_id, counted; ours: kiss, rule',
  PRIMARY KEY (id, ts),
  UNIQUE KEY sample (monitor_id, server_id, ts),
  KEY server_ts (server_id, ts)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='every sample and what it did to the score; every value of a scorer that says something new'
  PARTITION BY RANGE COLUMNS (ts) (
    PARTITION later VALUES LESS THAN (MAXVALUE)
  );
