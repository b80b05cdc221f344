-- name: AdvanceEpochs :exec
UPDATE shards SET epoch = epoch + 1, hub = sqlc.arg(hub)
WHERE id IN (sqlc.slice('shards')) ORDER BY id;

-- name: Epochs :many
SELECT id, epoch FROM shards WHERE id IN (sqlc.slice('shards')) ORDER BY id;

-- The index is forced since a scan of so small a table would lock the shards of other hubs too.
-- name: LockEpochs :many
SELECT id, epoch FROM shards FORCE INDEX (PRIMARY) WHERE id IN (sqlc.slice('shards')) ORDER BY id FOR UPDATE;

-- name: AdoptServers :exec
UPDATE servers SET shard = id MOD 256 WHERE shard IS NULL;
