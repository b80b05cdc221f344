-- +goose Up
CREATE TABLE IF NOT EXISTS closed_hours (
  `hour`    datetime    NOT NULL COMMENT 'its beginning, in UTC',
  closed_on datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'by the database''s clock',
  PRIMARY KEY (`hour`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='hours of the log that are in server_monitor_hours, but for what is in stale_hours';
