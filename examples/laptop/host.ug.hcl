# What one person wants on a laptop: units of the user's own manager, no root.
#
#   unitgen switch examples/laptop            # with systemd
#   unitgen run --user examples/laptop        # without

host "laptop" {
  systemd = 247
  imports = ["./modules/inbox"]
}

config "inbox" {
  rules = {
    pictures  = ["png", "jpg"]
    documents = ["pdf", "txt"]
  }
}

# Notes are kept for a while, once an hour, when there are any.
service "notes-backup" {
  scope                      = "user"
  Description                = "Keep a copy of the notes"
  ConditionDirectoryNotEmpty = "%h/notes"
  Type                       = "oneshot"
  Slice                      = slice.background
  Nice                       = 10
  StateDirectory             = "notes"
  ExecStart = [
    "/bin/sh -c 'tar -C \"$$1\" -cf \"$$2/$$(date +%%Y%%m%%dT%%H).tar\" notes' sh %h %S/notes",
    "/bin/sh -c 'find \"$$1\" -name \"*.tar\" -mtime +30 -exec rm {} +' sh %S/notes",
  ]
}

timer "notes-backup" {
  scope       = "user"
  Description = "Keep a copy of the notes every hour"
  OnCalendar  = "hourly"
  Persistent  = true
  WantedBy    = ["timers.target"]
}

slice "background" {
  scope       = "user"
  Description = "What nobody waits for"
  CPUWeight   = 20
}
