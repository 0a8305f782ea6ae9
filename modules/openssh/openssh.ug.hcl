module "openssh" {
  description = "The SSH server OpenSSH, as the distribution packages it"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether the SSH server runs."
}

option "program" {
  type        = path
  default     = "/usr/sbin/sshd"
  description = "The sshd program."
}

option "ports" {
  type        = nonempty(unique(list(port)))
  default     = [22]
  description = "TCP ports to listen on."
}

option "listen" {
  type        = list(nonempty(string))
  default     = []
  example     = ["192.0.2.1", "::1"]
  description = "Addresses to listen on; all of the machine without any."
}

option "host_keys" {
  type        = path
  default     = "/etc/ssh"
  example     = "%S/openssh"
  description = "Directory of the host's keys. The ed25519 and the RSA key are made where they are missing."
}

option "root_login" {
  type        = enum("no", "prohibit-password", "forced-commands-only", "yes")
  default     = "prohibit-password"
  description = "Whether root may log in."
}

option "passwords" {
  type        = bool
  default     = false
  description = "Whether users may log in with a password."
}

option "authorized_keys" {
  type        = map(list(match("(ssh-|ecdsa-|sk-).+", "must be a public key as in an authorized_keys file")))
  default     = {}
  example     = { admin = ["ssh-ed25519 AAAA… admin@example.org"] }
  description = "Public keys that may log in, by the user's name, besides those in the users' own files."
}

option "settings" {
  type        = map(either(string, number, bool, list(string)))
  default     = {}
  example     = { MaxAuthTries = 3, X11Forwarding = false, AllowGroups = ["wheel", "ssh"] }
  description = "Further lines of sshd_config. A bool is written yes or no, a list as words on one line."
}

option "extra" {
  type        = string
  default     = ""
  description = "Text for the end of sshd_config, such as Match blocks."
}

# The name is Debian's, so that its alias sshd.service leads here as well.
service "ssh" {
  Description              = "OpenSSH server"
  Documentation            = ["man:sshd(8)", "man:sshd_config(5)"]
  After                    = ["network.target"]
  Type                     = "notify"
  RuntimeDirectory         = "sshd"
  RuntimeDirectoryMode     = "0755"
  RuntimeDirectoryPreserve = "yes"
  StateDirectory           = "openssh"
  StateDirectoryMode       = "0700"
  ExecStartPre = [
    "/bin/sh %E/unitgen.d/openssh/keys.sh ${option.host_keys}",
    "${option.program} -t -f %E/unitgen.d/openssh/sshd_config -h ${option.host_keys}/ssh_host_ed25519_key -h ${option.host_keys}/ssh_host_rsa_key",
  ]
  ExecStart = "${option.program} -D -e -f %E/unitgen.d/openssh/sshd_config -h ${option.host_keys}/ssh_host_ed25519_key -h ${option.host_keys}/ssh_host_rsa_key"
  ExecReload = [
    "${option.program} -t -f %E/unitgen.d/openssh/sshd_config -h ${option.host_keys}/ssh_host_ed25519_key -h ${option.host_keys}/ssh_host_rsa_key",
    "/bin/kill -HUP $MAINPID",
  ]
  KillMode                 = "process"
  Restart                  = default("on-failure")
  RestartPreventExitStatus = "255"
  Alias                    = ["sshd.service"]
  WantedBy                 = ["multi-user.target"]
  reload_triggers          = [etc["unitgen.d/openssh/sshd_config"]]
}

etc "unitgen.d/openssh/keys.sh" {
  source = "files/keys.sh"
}

etc "unitgen.d/openssh/keys" {
  for_each = option.authorized_keys
  name     = "unitgen.d/openssh/keys/${each.key}"
  text     = join("", [for k in each.value : "${k}\n"])
}

etc "unitgen.d/openssh/sshd_config" {
  text = <<EOT
# Made by unitgen from the module openssh.
%{ for p in option.ports ~}
Port ${p}
%{ endfor ~}
%{ for a in option.listen ~}
ListenAddress ${strcontains(a, ":") ? "[${a}]" : a}
%{ endfor ~}
PermitRootLogin ${option.root_login}
PasswordAuthentication ${option.passwords ? "yes" : "no"}
KbdInteractiveAuthentication no
AuthorizedKeysFile .ssh/authorized_keys /etc/unitgen.d/openssh/keys/%u
UsePAM yes
PrintMotd no
%{ if !contains(keys(option.settings), "Subsystem") ~}
Subsystem sftp internal-sftp
%{ endif ~}
%{ for name, value in option.settings ~}
${name} ${try(join(" ", value), tobool(value) ? "yes" : "no", tostring(value))}
%{ endfor ~}
${option.extra}
EOT
}

assert {
  condition = length(setintersection(keys(option.settings), ["Port", "PermitRootLogin", "PasswordAuthentication", "HostKey"])) == 0
  message   = "openssh.settings sets what an option of its own is for: use ports, root_login, passwords and host_keys instead of ${join(", ", setintersection(keys(option.settings), ["Port", "PermitRootLogin", "PasswordAuthentication", "HostKey"]))}."
}
