-- +goose Up
CREATE TABLE IF NOT EXISTS servers_monitor_review (
  server_id   int unsigned  NOT NULL,
  last_review datetime(6)   DEFAULT NULL,
  next_review datetime(6)   DEFAULT NULL,
  last_change datetime(6)   DEFAULT NULL COMMENT 'when a review last changed something',
  config      varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (server_id),
  KEY next_review (next_review),
  CONSTRAINT servers_monitor_review_server FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='when the monitors of a server were and will be chosen';
