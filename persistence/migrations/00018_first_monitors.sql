-- +goose Up
INSERT IGNORE INTO monitors (id, type, hostname, tls_name, status, config)
VALUES (1, 'score', 'recentmedian', 'recentmedian', 'active', '{}'),
       (2, 'score', 'every', 'every', 'active', '{}');
