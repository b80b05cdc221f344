-- +goose Up
CREATE TABLE IF NOT EXISTS accounts (
  id                int unsigned  NOT NULL AUTO_INCREMENT,
  id_token          varchar(36)   DEFAULT NULL COMMENT 'public name of the account; not used by us',
  name              varchar(255)  DEFAULT NULL,
  organization_name varchar(150)  DEFAULT NULL,
  url_slug          varchar(150)  DEFAULT NULL,
  flags             varchar(4096) NOT NULL DEFAULT '{}' COMMENT 'JSON: monitor_limit, monitors_per_server_limit, monitor_enabled',
  created_on        datetime      NOT NULL DEFAULT CURRENT_TIMESTAMP,
  modified_on       datetime      NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY id_token (id_token),
  UNIQUE KEY url_slug (url_slug),
  KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='who owns servers and monitors';
