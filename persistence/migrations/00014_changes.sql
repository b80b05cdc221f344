-- +goose Up
CREATE TABLE IF NOT EXISTS changes (
  id    bigint unsigned NOT NULL AUTO_INCREMENT COMMENT 'in the order in which changes were made',
  kind  varchar(32)     NOT NULL COMMENT 'server, monitor, account, settings; or database, for row 1',
  `key` varchar(255)    NOT NULL DEFAULT '' COMMENT 'of what was changed: an id in decimal, the name of an agent, a settings key',
  who   varchar(255)    NOT NULL DEFAULT '' COMMENT 'the person or program that changed it',
  what  text            NOT NULL COMMENT 'in words',
  at    datetime(6)     NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when, by the database''s clock',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='who changed what when: running hubs follow it, and it is the audit trail';
