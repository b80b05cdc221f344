-- +goose Up
INSERT IGNORE INTO scorer_status (id, scorer_id) VALUES (1, 1), (2, 2);
