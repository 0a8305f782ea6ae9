run "ports" {
  config "firewall" {
    enable             = true
    tcp                = [22, "6000-6010"]
    trusted_interfaces = ["wg0"]
    input              = ["ip saddr 192.0.2.0/24 accept"]
  }
  assert {
    condition = alltrue([for l in ["tcp dport { 22, 6000-6010 } accept", "iifname \"wg0\" accept", "ip saddr 192.0.2.0/24 accept"] : strcontains(etc["unitgen.d/firewall.nft"].text, "\t\t${l}\n")])
    message   = "a rule is missing: ${etc["unitgen.d/firewall.nft"].text}"
  }
  assert {
    condition = !strcontains(etc["unitgen.d/firewall.nft"].text, "udp dport {")
    message   = "a rule for no port"
  }
}

run "a range backwards" {
  config "firewall" {
    enable = true
    tcp    = ["6010-6000"]
  }
  expect {
    message = "from a lower to a higher port"
  }
}
