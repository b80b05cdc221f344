-- +goose Up
INSERT IGNORE INTO shards (id)
WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 255)
SELECT n FROM number;
