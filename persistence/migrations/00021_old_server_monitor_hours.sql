-- +goose Up
-- No version has written to it yet. It is made anew, which may be done again where it was cut off.
DROP TABLE IF EXISTS server_monitor_hours;
