-- +goose Up
CREATE TABLE IF NOT EXISTS monitors (
  id             int unsigned            NOT NULL AUTO_INCREMENT,
  id_token       varchar(36)             DEFAULT NULL COMMENT 'public name of the monitor; not used by us',
  type           enum('monitor','score') NOT NULL DEFAULT 'monitor' COMMENT 'score: not a place but a formula over all monitors',
  account_id     int unsigned            DEFAULT NULL,
  hostname       varchar(255)            NOT NULL DEFAULT '' COMMENT 'of a scorer: recentmedian or every',
  location       varchar(255)            NOT NULL DEFAULT '',
  ip             varchar(40)             DEFAULT NULL COMMENT 'NULL: not known yet',
  ip_version     enum('v4','v6')         DEFAULT NULL,
  tls_name       varchar(255)            DEFAULT NULL COMMENT 'name of its agent, the one in its certificate',
  api_key        varchar(64)             DEFAULT NULL,
  status         enum('pending','testing','active','paused','deleted') NOT NULL,
  config         text                    NOT NULL COMMENT 'JSON: samples, nat_ip, base_checks',
  client_version varchar(255)            NOT NULL DEFAULT '',
  last_seen      datetime(6)             DEFAULT NULL,
  last_submit    datetime(6)             DEFAULT NULL,
  created_on     datetime                NOT NULL DEFAULT CURRENT_TIMESTAMP,
  deleted_on     datetime                DEFAULT NULL,
  is_current     tinyint(1)              DEFAULT 1 COMMENT 'NULL once it is deleted',
  PRIMARY KEY (id),
  UNIQUE KEY id_token (id_token),
  UNIQUE KEY api_key (api_key),
  UNIQUE KEY tls_name (tls_name, ip_version),
  KEY type_status (type, status),
  KEY account_id (account_id),
  CONSTRAINT monitors_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='vantage points, one row for each IP version of an agent; and the scorers';
