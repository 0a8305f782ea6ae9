run "a rule" {
  config "logrotate" {
    enable = true
    files  = { app = { paths = ["/var/log/app/*.log", "/srv/my logs/x"], size = "1M", create = "0640 app adm", postrotate = "true\nfalse" } }
  }
  assert {
    condition = alltrue([for l in ["/var/log/app/*.log \"/srv/my logs/x\" {", "    size 1048576", "    create 0640 app adm", "        true", "        false"] : strcontains(etc["unitgen.d/logrotate.conf"].text, "\n${l}\n")])
    message   = "a line is missing: ${etc["unitgen.d/logrotate.conf"].text}"
  }
  assert {
    condition = unit["logrotate.timer"].OnCalendar == ["daily"]
    message   = "the schedule"
  }
}

run "a schedule that is none" {
  config "logrotate" {
    enable   = true
    schedule = "now and then"
  }
  expect {
    message = "must be a calendar event"
  }
}
