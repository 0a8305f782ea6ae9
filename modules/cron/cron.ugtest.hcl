run "a job" {
  config "cron" {
    enable = true
    jobs   = { report = { schedule = "Mon 06:00", command = "/bin/true --weekly", user = "nobody", environment = { A = "b c" } } }
  }
  assert {
    condition = unit["cron-report.service"].ExecStart == ["/bin/true --weekly"] && unit["cron-report.service"].User == "nobody" && unit["cron-report.service"].Description == "Job report"
    message   = "the service"
  }
  assert {
    condition = unit["cron-report.timer"].Persistent == "true" && link["etc/systemd/system/timers.target.wants/cron-report.timer"] == "../cron-report.timer"
    message   = "the timer: ${unit["cron-report.timer"].text}"
  }
}

run "no schedule" {
  config "cron" {
    enable = true
    jobs   = { report = { command = "/bin/true" } }
  }
  expect {
    message = "schedule must be set"
  }
}
