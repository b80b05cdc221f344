-- +goose Up
CREATE TABLE IF NOT EXISTS hub_nodes (
  id          varchar(64)  NOT NULL COMMENT 'name of the hub',
  address     varchar(255) NOT NULL DEFAULT '' COMMENT 'host:port where other hubs reach it',
  lease_until datetime(6)  DEFAULT NULL COMMENT 'by the database''s clock; past: the hub is gone',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='hubs and their leases';
