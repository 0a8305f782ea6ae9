run "defaults" {
  config "openssh" {
    enable = true
  }
  assert {
    condition = strcontains(etc["unitgen.d/openssh/sshd_config"].text, "\nPort 22\n") && strcontains(etc["unitgen.d/openssh/sshd_config"].text, "\nPasswordAuthentication no\n")
    message   = "sshd_config lacks the defaults"
  }
  assert {
    condition = unit["ssh.service"].Type == "notify" && link["etc/systemd/system/multi-user.target.wants/ssh.service"] == "../ssh.service"
    message   = "ssh.service is not enabled"
  }
}

run "settings" {
  config "openssh" {
    enable          = true
    ports           = [22, 2222]
    settings        = { MaxAuthTries = 3, X11Forwarding = false, AllowGroups = ["a", "b"], Banner = "none" }
    authorized_keys = { admin = ["ssh-ed25519 AAAA admin"] }
  }
  assert {
    condition = alltrue([for l in ["Port 2222", "MaxAuthTries 3", "X11Forwarding no", "AllowGroups a b", "Banner none"] : strcontains(etc["unitgen.d/openssh/sshd_config"].text, "\n${l}\n")])
    message   = "a setting is missing: ${etc["unitgen.d/openssh/sshd_config"].text}"
  }
  assert {
    condition = etc["unitgen.d/openssh/keys/admin"].text == "ssh-ed25519 AAAA admin\n"
    message   = "the key is missing"
  }
}

run "a port set twice" {
  config "openssh" {
    enable   = true
    settings = { Port = 23 }
  }
  expect {
    message = "an option of its own is for: .* instead of Port"
  }
}

run "a key that is none" {
  config "openssh" {
    enable          = true
    authorized_keys = { admin = ["hello"] }
  }
  expect {
    message = "must be a public key"
  }
}
