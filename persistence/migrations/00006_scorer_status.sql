-- +goose Up
CREATE TABLE IF NOT EXISTS scorer_status (
  id           int unsigned    NOT NULL AUTO_INCREMENT,
  scorer_id    int unsigned    NOT NULL,
  log_score_id bigint unsigned NOT NULL DEFAULT 0 COMMENT 'newest row of log_scores that the scorer wrote',
  modified_on  datetime        NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY scorer_id (scorer_id),
  CONSTRAINT scorer_status_scorer FOREIGN KEY (scorer_id) REFERENCES monitors (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='how far each scorer has come';
