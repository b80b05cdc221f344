-- The tables of Truechimer, as a fresh database gets them; persistence/migrations take older ones to the same.
--
-- The tables of the first part keep names, columns and meanings of the NTP Pool's own database, so that tools made
-- for it read ours; what we add to them has a default, so that old readers and writers keep working.
-- One dialect for MySQL 8 and MariaDB 10.11. All times are UTC. Text compares byte by byte, as it does in Go.
-- Every statement may be run again: a start that was cut off is taken up where it stopped. Which migrations a database
-- has had is in the table truechimer_versions, which goose makes.

-- ---------------------------------------------------------------------------------------------------------------
-- The pool's tables

CREATE TABLE IF NOT EXISTS accounts (
  id                int unsigned  NOT NULL AUTO_INCREMENT,
  id_token          varchar(36)   DEFAULT NULL COMMENT 'public name of the account; not used by us',
  name              varchar(255)  DEFAULT NULL,
  organization_name varchar(150)  DEFAULT NULL,
  url_slug          varchar(150)  DEFAULT NULL,
  flags             varchar(4096) NOT NULL DEFAULT '{}' COMMENT 'JSON: monitor_limit, monitors_per_server_limit, monitor_enabled',
  created_on        datetime      NOT NULL DEFAULT CURRENT_TIMESTAMP,
  modified_on       datetime      NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY id_token (id_token),
  UNIQUE KEY url_slug (url_slug),
  KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='who owns servers and monitors';

CREATE TABLE IF NOT EXISTS servers (
  id          int unsigned      NOT NULL AUTO_INCREMENT,
  ip          varchar(40)       NOT NULL,
  port        smallint unsigned NOT NULL DEFAULT 123 COMMENT 'ours: UDP port',
  ip_version  enum('v4','v6')   NOT NULL DEFAULT 'v4',
  account_id  int unsigned      DEFAULT NULL,
  hostname    varchar(255)      DEFAULT NULL COMMENT 'the name that ip was resolved from, if any',
  stratum     tinyint unsigned  DEFAULT NULL COMMENT 'of the newest sample whose stratum is not 0',
  in_pool     tinyint unsigned  NOT NULL DEFAULT 0,
  netspeed    int unsigned      NOT NULL DEFAULT 10000,
  created_on  datetime          NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_on  datetime          NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  score_ts    datetime(6)       DEFAULT NULL COMMENT 'the time for which score_raw holds; it never goes back',
  score_raw   double            NOT NULL DEFAULT 0 COMMENT 'the overall score; fit for service at 10 or more',
  deletion_on date              DEFAULT NULL COMMENT 'from this day on the server is not probed',
  flags       varchar(4096)     NOT NULL DEFAULT '{}',
  shard       smallint unsigned DEFAULT NULL COMMENT 'ours: id modulo 256; NULL until a hub has seen a row of another writer',
  PRIMARY KEY (id),
  UNIQUE KEY ip (ip),
  KEY shard (shard),
  KEY account_id (account_id),
  KEY deletion_on (deletion_on),
  CONSTRAINT servers_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='NTP servers under watch: one row for each address';

CREATE TABLE IF NOT EXISTS monitors (
  id             int unsigned            NOT NULL AUTO_INCREMENT,
  id_token       varchar(36)             DEFAULT NULL COMMENT 'public name of the monitor; not used by us',
  type           enum('monitor','score') NOT NULL DEFAULT 'monitor' COMMENT 'score: not a place but a formula over all monitors',
  account_id     int unsigned            DEFAULT NULL,
  hostname       varchar(255)            NOT NULL DEFAULT '' COMMENT 'of a scorer: recentmedian or every',
  location       varchar(255)            NOT NULL DEFAULT '',
  ip             varchar(40)             DEFAULT NULL COMMENT 'NULL: not known yet',
  ip_version     enum('v4','v6')         DEFAULT NULL,
  tls_name       varchar(255)            DEFAULT NULL COMMENT 'name of its agent, the one in its certificate',
  api_key        varchar(64)             DEFAULT NULL,
  status         enum('pending','testing','active','paused','deleted') NOT NULL,
  config         text                    NOT NULL COMMENT 'JSON: samples, nat_ip, base_checks',
  client_version varchar(255)            NOT NULL DEFAULT '',
  last_seen      datetime(6)             DEFAULT NULL,
  last_submit    datetime(6)             DEFAULT NULL,
  created_on     datetime                NOT NULL DEFAULT CURRENT_TIMESTAMP,
  deleted_on     datetime                DEFAULT NULL,
  is_current     tinyint(1)              DEFAULT 1 COMMENT 'NULL once it is deleted',
  PRIMARY KEY (id),
  UNIQUE KEY id_token (id_token),
  UNIQUE KEY api_key (api_key),
  UNIQUE KEY tls_name (tls_name, ip_version),
  KEY type_status (type, status),
  KEY account_id (account_id),
  CONSTRAINT monitors_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='vantage points, one row for each IP version of an agent; and the scorers';

-- The primary key is the pair and not the id: the pairs of a server lie together, and an upsert finds its row at once.
CREATE TABLE IF NOT EXISTS server_scores (
  id                         bigint unsigned  NOT NULL AUTO_INCREMENT,
  monitor_id                 int unsigned     NOT NULL,
  server_id                  int unsigned     NOT NULL,
  score_ts                   datetime(6)      DEFAULT NULL COMMENT 'time of the sample behind score_raw; NULL: never scored',
  score_raw                  double           NOT NULL DEFAULT 0 COMMENT 'score of the server as this monitor sees it, or value of the scorer',
  stratum                    tinyint unsigned DEFAULT NULL,
  status                     enum('candidate','testing','active','paused') NOT NULL DEFAULT 'candidate' COMMENT 'what the monitor is for this server',
  queue_ts                   datetime         DEFAULT NULL COMMENT 'of the pool''s scheduler; not used by us',
  created_on                 datetime         NOT NULL DEFAULT CURRENT_TIMESTAMP,
  modified_on                datetime         NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  constraint_violation_type  varchar(50)      DEFAULT NULL COMMENT 'the constraint of selection that the pair breaks',
  constraint_violation_since datetime(6)      DEFAULT NULL,
  last_constraint_check      datetime(6)      DEFAULT NULL COMMENT 'when a paused pair was last looked at',
  pause_reason               varchar(50)      DEFAULT NULL,
  interval_ms                int unsigned     DEFAULT NULL COMMENT 'ours: place in the timetable: once in so long; NULL: not probed',
  phase_ms                   int unsigned     DEFAULT NULL COMMENT 'ours: where in the interval the window begins, counted from 1970',
  window_ms                  int unsigned     DEFAULT NULL COMMENT 'ours: the probe goes at a secret moment within it',
  log_id                     bigint unsigned  DEFAULT NULL COMMENT 'ours: id of the newest row of the pair in log_scores that is not late',
  log_ts                     datetime(6)      DEFAULT NULL COMMENT 'ours: its ts',
  log_score                  double           DEFAULT NULL COMMENT 'ours: its score',
  log_step                   double           DEFAULT NULL COMMENT 'ours: its step',
  log_rtt                    int              DEFAULT NULL COMMENT 'ours: its rtt in microseconds',
  PRIMARY KEY (server_id, monitor_id),
  UNIQUE KEY id (id),
  KEY monitor_id (monitor_id, server_id),
  CONSTRAINT server_scores_monitor FOREIGN KEY (monitor_id) REFERENCES monitors (id),
  CONSTRAINT server_scores_server FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='pairs of a monitor (or scorer) and a server: score, status, place in the timetable';

-- One partition for each day of ts, named p and the date; the hub cuts new ones off the last and drops the oldest.
-- Partitioned tables have no foreign keys, and ts must be in every unique key.
CREATE TABLE IF NOT EXISTS log_scores (
  id         bigint unsigned NOT NULL AUTO_INCREMENT COMMENT 'of one server: in the order in which its samples were scored',
  monitor_id int unsigned    NOT NULL,
  server_id  int unsigned    NOT NULL,
  ts         datetime(6)     NOT NULL COMMENT 'when the sample was taken, by the monitor''s clock',
  score      double          NOT NULL DEFAULT 0 COMMENT 'score after this sample; of a late one, the score that it did not change',
  step       double          NOT NULL DEFAULT 0,
  `offset`   double          DEFAULT NULL COMMENT 'server minus local clock, in seconds; NULL: none measured',
  rtt        int             DEFAULT NULL COMMENT 'round-trip delay in microseconds; NULL: nothing came back',
  attributes text            DEFAULT NULL COMMENT 'JSON: leap, stratum, no_response, error, warning, late, from_ls_id, from_ss_id, counted; ours: kiss, rule',
  PRIMARY KEY (id, ts),
  UNIQUE KEY sample (monitor_id, server_id, ts),
  KEY server_ts (server_id, ts)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='every sample and what it did to the score; every value of a scorer that says something new'
  PARTITION BY RANGE COLUMNS (ts) (
    PARTITION later VALUES LESS THAN (MAXVALUE)
  );

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

CREATE TABLE IF NOT EXISTS servers_monitor_review (
  server_id   int unsigned  NOT NULL,
  last_review datetime(6)   DEFAULT NULL,
  next_review datetime(6)   DEFAULT NULL,
  last_change datetime(6)   DEFAULT NULL COMMENT 'when a review last changed something',
  config      varchar(4096) NOT NULL DEFAULT '',
  PRIMARY KEY (server_id),
  KEY next_review (next_review),
  CONSTRAINT servers_monitor_review_server FOREIGN KEY (server_id) REFERENCES servers (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='when the monitors of a server were and will be chosen';

CREATE TABLE IF NOT EXISTS system_settings (
  id          int unsigned NOT NULL AUTO_INCREMENT,
  `key`       varchar(255) NOT NULL,
  value       text         NOT NULL COMMENT 'JSON',
  created_on  datetime     NOT NULL DEFAULT CURRENT_TIMESTAMP,
  modified_on datetime     NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY `key` (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='settings of the whole pool';

CREATE TABLE IF NOT EXISTS monitor_registrations (
  id                 int unsigned NOT NULL AUTO_INCREMENT,
  request_token      varchar(128) NOT NULL,
  verification_token varchar(32)  NOT NULL,
  ip4                varchar(15)  NOT NULL DEFAULT '',
  ip6                varchar(39)  NOT NULL DEFAULT '',
  tls_name           varchar(255) DEFAULT '',
  hostname           varchar(255) NOT NULL DEFAULT '',
  location_code      varchar(5)   NOT NULL DEFAULT '',
  account_id         int unsigned DEFAULT NULL,
  client             varchar(255) NOT NULL DEFAULT '',
  status             enum('pending','accepted','completed','rejected','cancelled') NOT NULL,
  last_seen          datetime     NOT NULL DEFAULT CURRENT_TIMESTAMP,
  created_on         datetime     NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY request_token (request_token),
  UNIQUE KEY verification_token (verification_token),
  KEY account_id (account_id),
  CONSTRAINT monitor_registrations_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='agents that ask to be let in';

-- ---------------------------------------------------------------------------------------------------------------
-- Ours

CREATE TABLE IF NOT EXISTS hub_nodes (
  id          varchar(64)  NOT NULL COMMENT 'name of the hub',
  address     varchar(255) NOT NULL DEFAULT '' COMMENT 'host:port where other hubs reach it',
  lease_until datetime(6)  DEFAULT NULL COMMENT 'by the database''s clock; past: the hub is gone',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='hubs and their leases';

CREATE TABLE IF NOT EXISTS shards (
  id    smallint unsigned NOT NULL COMMENT '0 to 255',
  epoch bigint unsigned   NOT NULL DEFAULT 0 COMMENT 'number of the newest activation; who shows an older one is refused',
  hub   varchar(64)       NOT NULL DEFAULT '' COMMENT 'hub of the newest activation',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='the 256 parts of the pool and who serves them; every commit locks the rows of its shards';

CREATE TABLE IF NOT EXISTS agents (
  name               varchar(255)      NOT NULL COMMENT 'the name in its certificate; monitors.tls_name of its monitors',
  account_id         int unsigned      DEFAULT NULL COMMENT 'who runs it',
  shard              smallint unsigned NOT NULL COMMENT 'FNV-1a of the name modulo 256',
  certificate_serial varchar(64)       NOT NULL DEFAULT '' COMMENT 'of its newest certificate, in hexadecimal',
  revoked            tinyint(1)        NOT NULL DEFAULT 0 COMMENT '1: it is not let in any more',
  session            varchar(64)       NOT NULL DEFAULT '' COMMENT 'ULID of its newest link',
  created_on         datetime          NOT NULL DEFAULT CURRENT_TIMESTAMP COMMENT 'when it was let in',
  PRIMARY KEY (name),
  KEY shard (shard),
  KEY account_id (account_id),
  CONSTRAINT agents_account FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='programs on the hosts of monitors';

CREATE TABLE IF NOT EXISTS authority (
  name       varchar(64) NOT NULL COMMENT 'what it is for',
  secret     mediumblob  NOT NULL COMMENT 'as its user encodes it',
  created_on datetime    NOT NULL DEFAULT CURRENT_TIMESTAMP COMMENT 'by the hub that needed it first',
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='certificate authority, keys of JWTs and tickets: who can read this table is an owner of the pool';

-- Row 1 says that the tables were made. Later writers lock it, so that ids become visible in their order
-- and a hub that has followed up to one has missed none before it.
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

-- The primary key is in the order in which it is read: some servers, some hours, all their monitors.
CREATE TABLE IF NOT EXISTS server_monitor_hours (
  server_id     int unsigned NOT NULL COMMENT 'which server',
  monitor_id    int unsigned NOT NULL COMMENT 'as seen by which monitor',
  `hour`        datetime     NOT NULL COMMENT 'its beginning, in UTC',
  `count`       int unsigned NOT NULL DEFAULT 0 COMMENT 'samples',
  count_rtt     int unsigned NOT NULL DEFAULT 0 COMMENT 'those with an rtt',
  count_offset  int unsigned NOT NULL DEFAULT 0 COMMENT 'those with an offset',
  sum_rtt_us    bigint       NOT NULL DEFAULT 0 COMMENT 'of the RTTs, in microseconds',
  sum_step_pico bigint       NOT NULL DEFAULT 0 COMMENT 'of the steps, each in whole 1e-12 and between -1000 and 1000: exact in any order',
  sum_offset    double       NOT NULL DEFAULT 0 COMMENT 'of the offsets, in seconds',
  min_offset    double       DEFAULT NULL COMMENT 'the least offset, in seconds',
  max_offset    double       DEFAULT NULL COMMENT 'the greatest offset, in seconds',
  PRIMARY KEY (server_id, `hour`, monitor_id),
  KEY `hour` (`hour`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='counts and sums of closed hours, scorers left out: what selection is based on, and the history';

CREATE TABLE IF NOT EXISTS closed_hours (
  `hour`    datetime    NOT NULL COMMENT 'its beginning, in UTC',
  closed_on datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'by the database''s clock',
  PRIMARY KEY (`hour`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='hours of the log that are in server_monitor_hours, but for what is in stale_hours';

-- A commit that comes after the end of an hour leaves a mark here in its own transaction.
CREATE TABLE IF NOT EXISTS stale_hours (
  `hour`    datetime     NOT NULL COMMENT 'of which server_monitor_hours doesn''t hold all that the log does',
  server_id int unsigned NOT NULL COMMENT 'for this server',
  PRIMARY KEY (`hour`, server_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='what is to be added up from the log, and is read from the log until then';

CREATE TABLE IF NOT EXISTS server_monitor_figures (
  server_id     int unsigned NOT NULL COMMENT 'which server',
  monitor_id    int unsigned NOT NULL COMMENT 'as seen by which monitor',
  `count`       int unsigned NOT NULL DEFAULT 0 COMMENT 'samples',
  count_rtt     int unsigned NOT NULL DEFAULT 0 COMMENT 'those with an rtt',
  sum_rtt_us    bigint       NOT NULL DEFAULT 0 COMMENT 'of the RTTs, in microseconds',
  sum_step_pico bigint       NOT NULL DEFAULT 0 COMMENT 'of the steps, in 1e-12',
  PRIMARY KEY (server_id, monitor_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='sums of server_monitor_hours over the newest closed hour and the 23 before it, for servers that none of these is stale for';

CREATE TABLE IF NOT EXISTS server_monitor_days (
  server_id    int unsigned NOT NULL COMMENT 'which server',
  monitor_id   int unsigned NOT NULL COMMENT 'as seen by which monitor',
  `day`        date         NOT NULL COMMENT 'in UTC',
  `count`      int unsigned NOT NULL DEFAULT 0 COMMENT 'samples',
  count_rtt    int unsigned NOT NULL DEFAULT 0 COMMENT 'those with an rtt',
  count_offset int unsigned NOT NULL DEFAULT 0 COMMENT 'those with an offset',
  sum_rtt_us   bigint       NOT NULL DEFAULT 0 COMMENT 'of the RTTs, in microseconds',
  sum_step     double       NOT NULL DEFAULT 0 COMMENT 'of the steps',
  sum_offset   double       NOT NULL DEFAULT 0 COMMENT 'of the offsets, in seconds',
  min_offset   double       DEFAULT NULL COMMENT 'the least offset, in seconds',
  max_offset   double       DEFAULT NULL COMMENT 'the greatest offset, in seconds',
  PRIMARY KEY (server_id, monitor_id, `day`),
  KEY `day` (`day`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
  COMMENT='the same, by day: the history of years';

-- ---------------------------------------------------------------------------------------------------------------
-- The first rows

INSERT IGNORE INTO shards (id)
WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 255)
SELECT n FROM number;

INSERT IGNORE INTO monitors (id, type, hostname, tls_name, status, config)
VALUES (1, 'score', 'recentmedian', 'recentmedian', 'active', '{}'),
       (2, 'score', 'every', 'every', 'active', '{}');

INSERT IGNORE INTO scorer_status (id, scorer_id) VALUES (1, 1), (2, 2);

INSERT IGNORE INTO changes (id, kind, who, what) VALUES (1, 'database', 'truechimer', 'made the tables');
