module "inbox" {
  description = "Moves what arrives in a directory to where it belongs, by its suffix"
}

option "directory" {
  type        = nonempty(string)
  default     = "%h/inbox"
  description = "Where things arrive; specifiers of systemd.unit(5) are expanded."
}

option "rules" {
  type        = map(nonempty(list(match("^[a-z0-9]+$"))))
  default     = {}
  example     = { pictures = ["png", "jpg"] }
  description = "Directories below the home directory, and the suffixes of the files that belong there."
}

# The manager watches the directory and starts the service of the same name.
path "inbox" {
  scope             = "user"
  Description       = "Watch the inbox"
  DirectoryNotEmpty = option.directory
  MakeDirectory     = true
  WantedBy          = ["paths.target", "default.target"]
}

service "inbox" {
  scope       = "user"
  Description = "Sort the inbox"
  Type        = "oneshot"
  ExecStart = [for to, suffixes in option.rules :
    "/bin/sh -c 'from=$$1 to=$$2; shift 2; mkdir -p \"$$to\"; for s in \"$$@\"; do find \"$$from\" -maxdepth 1 -type f -name \"*.$$s\" -exec mv -t \"$$to\" {} +; done' sh ${option.directory} %h/${to} ${join(" ", suffixes)}"
  ]
  # What no rule is for would start this again and again.
  ExecStartPost = "/bin/sh -c 'mkdir -p \"$$2\"; find \"$$1\" -mindepth 1 -maxdepth 1 -exec mv -t \"$$2\" {} +' sh ${option.directory} %h/unsorted"
}
