-- +goose Up
CREATE TABLE IF NOT EXISTS monitor_registrations (
  id                 int unsigned NOT NULL AUTO_INCREMENT,
  request_token      varchar(128) NOT NULL,
  verification_token varchar(32)  NOT NULL,
  ip4                varchar(15)  NOT NULL DEFAULT '',
  ip6                varchar(39)  NOT NULL DEFAULT '',
  tls_name           varchar(255) DEFAULT '',
  hostname           varchar(255) NOT NULL DEFAULT '',
  location_code      varchar(5)   NOT NULL DEFAULT '',
  account_id         int unsigned DEFAULT NULL,
  client             varchar(255) NOT NULL DEFAULT '',
  status             enum('pending','accepted','completed','rejected','cancelled') NOT NULL,
  last_seen          datetime     NOT NULL DEFAULT CURRENT_TIMESTAMP,
  created_on         datetime     NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY request_token (request_token),
  UNIQUE KEY verification_token (verification_token),
  KEY account_id (account_id),
  CONSTRAINT monitor_registrations_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='agents that ask to be let in';
