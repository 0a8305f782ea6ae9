run "a job" {
  config "backup" {
    enable = true
    jobs   = { home = { paths = ["/home", "/etc"], exclude = ["*/.cache"], requires = ["db.service"], before = ["/bin/dump"] } }
  }
  assert {
    condition = etc["unitgen.d/backup/home.paths"].text == "home\netc\n" && etc["unitgen.d/backup/home.exclude"].text == "*/.cache\n"
    message   = "the lists for tar"
  }
  assert {
    condition = unit["backup-home.service"].ExecStartPre == ["/bin/dump"] && unit["backup-home.timer"].OnCalendar == ["daily"]
    message   = "the units"
  }
  expect {
    severity = "warning"
    message  = "db.service"
  }
}

run "a name that climbs" {
  config "backup" {
    enable = true
    jobs   = { "../x" = { paths = ["/home"] } }
  }
  expect {
    message = "climbs out|has no slash|letters, digits"
  }
}
