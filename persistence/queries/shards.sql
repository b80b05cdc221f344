-- In both the index is forced: so small a table would be scanned, and the shards of other hubs locked too.

-- name: LockEpochs :many
SELECT id, epoch, NOW(6) AS clock FROM shards FORCE INDEX (PRIMARY) WHERE id IN (sqlc.slice('shards')) ORDER BY id FOR UPDATE;

-- name: AdvanceEpochs :exec
UPDATE shards FORCE INDEX (PRIMARY) SET epoch = epoch + 1, hub = sqlc.arg(hub) WHERE id IN (sqlc.slice('shards'));

-- name: AdoptServers :exec
UPDATE servers SET shard = id MOD 256 WHERE shard IS NULL;
