locals {
  data = "%S/postgresql-${option.version}/data"
  conf = "%E/unitgen.d/postgresql"
}

service "postgresql" {
  Description        = "Database PostgreSQL ${option.version}"
  Documentation      = ["man:postgres(1)"]
  After              = ["network.target"]
  Type               = "notify"
  NotifyAccess       = "main"
  User               = option.user
  Group              = option.user
  RuntimeDirectory   = "postgresql"
  StateDirectory     = "postgresql-${option.version}"
  StateDirectoryMode = "0700"
  ExecStartPre       = "/bin/sh ${local.conf}/prepare.sh ${option.bin_dir} ${local.data} ${local.conf}/roles"
  ExecStart          = "${option.bin_dir}/postgres -D ${local.data} -c config_file=${local.conf}/postgresql.conf -c hba_file=${local.conf}/pg_hba.conf -c ident_file=%S/postgresql-${option.version}/pg_ident.conf -c unix_socket_directories=%t/postgresql"
  ExecStartPost      = "${option.bin_dir}/psql -XAtq -h %t/postgresql -p ${option.port} -U postgres -d postgres -v ON_ERROR_STOP=1 -f ${local.conf}/ensure.sql"
  ExecReload         = "${option.bin_dir}/pg_ctl reload -s -D ${local.data}"
  KillMode           = "mixed"
  KillSignal         = "SIGINT"
  TimeoutStartSec    = "120s"
  TimeoutStopSec     = "60s"
  Restart            = default("on-failure")
  WantedBy           = ["multi-user.target"]
  restart_triggers   = [etc["unitgen.d/postgresql/postgresql.conf"]]
  reload_triggers    = [etc["unitgen.d/postgresql/pg_hba.conf"]]
}

unit "postgresql@.service" {
  when = option.mask_distribution
  mask = true
}

etc "unitgen.d/postgresql/postgresql.conf" {
  text = <<EOT
# Made by unitgen from the module postgresql.
port = ${option.port}
listen_addresses = '${join(",", option.listen)}'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = ''
%{ for name, value in option.settings ~}
${name} = '${replace(value, "'", "''")}'
%{ endfor ~}
EOT
}

etc "unitgen.d/postgresql/pg_hba.conf" {
  text = <<EOT
# Made by unitgen from the module postgresql.
local all all peer map=unitgen
%{ for line in option.authentication ~}
${line}
%{ endfor ~}
EOT
}

# "os user<blank>role" a line; prepare.sh makes pg_ident.conf of it.
etc "unitgen.d/postgresql/roles" {
  text = <<EOT
${option.user} postgres
%{ for name, role in option.roles ~}
${role.os_user == null ? name : role.os_user} ${name}
%{ endfor ~}
EOT
}

etc "unitgen.d/postgresql/prepare.sh" {
  source = "files/prepare.sh"
}

etc "unitgen.d/postgresql/ensure.sql" {
  text = <<EOT
-- Made by unitgen from the module postgresql.
%{ for name, role in option.roles ~}
SELECT 'CREATE ROLE "${name}" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') \gexec
ALTER ROLE "${name}" ${role.superuser ? "SUPERUSER" : "NOSUPERUSER"} ${role.createdb ? "CREATEDB" : "NOCREATEDB"};
%{ endfor ~}
%{ for name, database in option.databases ~}
SELECT 'CREATE DATABASE "${name}" OWNER "${database.owner}"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '${name}') \gexec
%{ endfor ~}
EOT
}

assert {
  condition = alltrue([for name, role in option.roles : can(regex("^[a-z_][a-z0-9_-]*$", name))])
  message   = "Names of PostgreSQL roles are lower-case letters, digits, _ and -."
}

assert {
  condition = alltrue([for name, database in option.databases : can(regex("^[a-z_][a-z0-9_-]*$", name)) && (database.owner == "postgres" || contains(keys(option.roles), database.owner))])
  message   = "Names of PostgreSQL databases are lower-case letters, digits, _ and -, and their owners are in config.postgresql.roles."
}
