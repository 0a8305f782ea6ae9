locals {
  conf = "%E/unitgen.d/guestbook"
  psql = "${config.postgresql.bin_dir}/psql -XAtq -v ON_ERROR_STOP=1 -h ${config.postgresql.socket_dir} -p ${config.postgresql.port} -U guestbook -d guestbook"
}

# What this module wants of others.
config "postgresql" {
  roles     = { guestbook = { os_user = option.user } }
  databases = { guestbook = { owner = "guestbook" } }
}

config "nginx" {
  sites = {
    (option.site) = { proxy = "unix:guestbook.sock", default = true }
  }
}

# The tables, made or brought up to date before anybody reads them.
service "guestbook-migrate" {
  Description      = "Bring the guest book's tables up to date"
  Requires         = [service.postgresql]
  After            = [service.postgresql]
  Type             = "oneshot"
  RemainAfterExit  = true
  User             = option.user
  ExecStart        = "${local.psql} -f ${local.conf}/schema.sql"
  restart_triggers = [etc["unitgen.d/guestbook/schema.sql"]]
}

# The manager listens, so that no request is lost while the application
# restarts.
socket "guestbook" {
  Description  = "Where nginx reaches the guest book"
  ListenStream = "%t/guestbook.sock"
  SocketMode   = "0666"
  WantedBy     = ["sockets.target"]
}

service "guestbook" {
  Description = "Guest book"
  Requires    = [service.guestbook-migrate, service.redis-server, socket.guestbook]
  After       = [service.guestbook-migrate, service.redis-server, socket.guestbook]
  User        = option.user
  Environment = {
    GUESTBOOK_TITLE = option.title
    GUESTBOOK_PSQL  = local.psql
    GUESTBOOK_REDIS = config.redis.socket
  }
  ExecStart        = "/usr/bin/perl ${local.conf}/guestbook.pl"
  Restart          = "on-failure"
  NoNewPrivileges  = true
  restart_triggers = [etc["unitgen.d/guestbook/guestbook.pl"]]
  WantedBy         = ["multi-user.target"]
}

service "guestbook-backup" {
  Description    = "Back up the guest book"
  Requires       = [service.guestbook-migrate]
  After          = [service.guestbook-migrate]
  Type           = "oneshot"
  User           = option.user
  StateDirectory = "guestbook-backup"
  Environment = {
    PGHOST     = config.postgresql.socket_dir
    PGPORT     = tostring(config.postgresql.port)
    PGUSER     = "guestbook"
    PGDATABASE = "guestbook"
  }
  ExecStart = "/bin/sh ${local.conf}/backup.sh ${config.postgresql.bin_dir}/pg_dump %S/guestbook-backup ${option.backups}"
}

timer "guestbook-backup" {
  Description = "Back up the guest book now and then"
  OnCalendar  = option.backup
  Persistent  = true
  AccuracySec = "1s"
  WantedBy    = ["timers.target"]
}

etc "unitgen.d/guestbook/guestbook.pl" {
  source = "files/guestbook.pl"
}

etc "unitgen.d/guestbook/schema.sql" {
  source = "files/schema.sql"
}

etc "unitgen.d/guestbook/backup.sh" {
  source = "files/backup.sh"
}
