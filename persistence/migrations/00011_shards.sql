-- +goose Up
CREATE TABLE IF NOT EXISTS shards (
  id    smallint unsigned NOT NULL COMMENT '0 to 255',
  epoch bigint unsigned   NOT NULL DEFAULT 0 COMMENT 'number of the newest activation; who shows an older one is refused',
  hub   varchar(64)       NOT NULL DEFAULT '' COMMENT 'hub of the newest activation',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='the 256 parts of the pool and who serves them; every commit locks the rows of its shards';
