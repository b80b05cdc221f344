-- +goose Up
CREATE TABLE IF NOT EXISTS authority (
  name       varchar(64) NOT NULL COMMENT 'what it is for',
  secret     mediumblob  NOT NULL COMMENT 'as its user encodes it',
  created_on datetime    NOT NULL DEFAULT CURRENT_TIMESTAMP COMMENT 'by the hub that needed it first',
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='certificate authority, keys of JWTs and tickets: who can read this table is an owner of the pool';
