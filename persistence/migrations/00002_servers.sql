-- +goose Up
CREATE TABLE IF NOT EXISTS servers (
  id          int unsigned      NOT NULL AUTO_INCREMENT,
  ip          varchar(40)       NOT NULL,
  port        smallint unsigned NOT NULL DEFAULT 123 COMMENT 'ours: UDP port',
  ip_version  enum('v4','v6')   NOT NULL DEFAULT 'v4',
  account_id  int unsigned      DEFAULT NULL,
  hostname    varchar(255)      DEFAULT NULL COMMENT 'the name that ip was resolved from, if any',
  stratum     tinyint unsigned  DEFAULT NULL COMMENT 'of the newest sample whose stratum is not 0',
  in_pool     tinyint unsigned  NOT NULL DEFAULT 0,
  netspeed    int unsigned      NOT NULL DEFAULT 10000,
  created_on  datetime          NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_on  datetime          NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  score_ts    datetime(6)       DEFAULT NULL COMMENT 'the time for which score_raw holds; it never goes back',
  score_raw   double            NOT NULL DEFAULT 0 COMMENT 'the overall score; fit for service at 10 or more',
  deletion_on date              DEFAULT NULL COMMENT 'from this day on the server is not probed',
  flags       varchar(4096)     NOT NULL DEFAULT '{}',
  shard       smallint unsigned DEFAULT NULL COMMENT 'ours: id modulo 256; NULL until a hub has seen a row of another writer',
  PRIMARY KEY (id),
  UNIQUE KEY ip (ip),
  KEY shard (shard),
  KEY account_id (account_id),
  KEY deletion_on (deletion_on),
  CONSTRAINT servers_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='NTP servers under watch: one row for each address';
