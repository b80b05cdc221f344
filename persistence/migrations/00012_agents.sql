-- +goose Up
CREATE TABLE IF NOT EXISTS agents (
  name               varchar(255)      NOT NULL COMMENT 'the name in its certificate; monitors.tls_name of its monitors',
  account_id         int unsigned      DEFAULT NULL COMMENT 'who runs it',
  shard              smallint unsigned NOT NULL COMMENT 'FNV-1a of the name modulo 256',
  certificate_serial varchar(64)       NOT NULL DEFAULT '' COMMENT 'of its newest certificate, in hexadecimal',
  revoked            tinyint(1)        NOT NULL DEFAULT 0 COMMENT '1: it is not let in any more',
  session            varchar(64)       NOT NULL DEFAULT '' COMMENT 'ULID of its newest link',
  created_on         datetime          NOT NULL DEFAULT CURRENT_TIMESTAMP COMMENT 'when it was let in',
  PRIMARY KEY (name),
  KEY shard (shard),
  KEY account_id (account_id),
  CONSTRAINT agents_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='programs on the hosts of monitors';
