run "a database and its user" {
  config "mariadb" {
    enable    = true
    databases = ["wiki"]
    users     = { www-data = { databases = ["wiki"] } }
    settings  = { innodb_buffer_pool_size = "64M", skip_name_resolve = true, max_connections = 20 }
  }
  assert {
    condition = etc["unitgen.d/mariadb/ensure.sql"].text == "CREATE DATABASE IF NOT EXISTS `wiki`;\nCREATE USER IF NOT EXISTS 'www-data'@'localhost' IDENTIFIED VIA unix_socket;\nGRANT ALL PRIVILEGES ON `wiki`.* TO 'www-data'@'localhost';\n"
    message   = "the statements"
  }
  assert {
    condition = alltrue([for l in ["skip_networking", "innodb_buffer_pool_size = 64M", "skip_name_resolve = ON", "max_connections = 20"] : strcontains(etc["unitgen.d/mariadb/my.cnf"].text, "\n${l}\n")])
    message   = "a line is missing: ${etc["unitgen.d/mariadb/my.cnf"].text}"
  }
}

run "a database that is not there" {
  config "mariadb" {
    enable = true
    users  = { app = { databases = ["wki"] } }
  }
  expect {
    message = "not among mariadb.databases: wki"
  }
}

run "a name that would end the statement" {
  config "mariadb" {
    enable    = true
    databases = ["x`; DROP"]
  }
  expect {
    message = "must be made of letters"
  }
}
