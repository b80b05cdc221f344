-- +goose Up
INSERT IGNORE INTO changes (id, kind, who, what) VALUES (1, 'database', 'truechimer', 'made the tables');
