-- +goose Up
CREATE TABLE IF NOT EXISTS stale_hours (
  `hour`    datetime     NOT NULL COMMENT 'of which server_monitor_hours doesn''t hold all that the log does',
  server_id int unsigned NOT NULL COMMENT 'for this server',
  PRIMARY KEY (`hour`, server_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='what is to be added up from the log, and is read from the log until then';
