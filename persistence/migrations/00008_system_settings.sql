-- +goose Up
CREATE TABLE IF NOT EXISTS system_settings (
  id          int unsigned NOT NULL AUTO_INCREMENT,
  `key`       varchar(255) NOT NULL,
  value       text         NOT NULL COMMENT 'JSON',
  created_on  datetime     NOT NULL DEFAULT CURRENT_TIMESTAMP,
  modified_on datetime     NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY `key` (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='settings of the whole pool';
