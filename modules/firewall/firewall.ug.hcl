module "firewall" {
  description = "A packet filter of nftables: what comes in is dropped unless it is allowed"
  when        = option.enable
}

option "enable" {
  type        = bool
  default     = false
  description = "Whether the rules are loaded."
}

option "program" {
  type        = path
  default     = "/usr/sbin/nft"
  description = "The nft program."
}

option "tcp" {
  type        = unique(list(either(port, match("[0-9]+-[0-9]+", "must be a port or a range such as \"6000-6010\""))))
  default     = []
  example     = [22, 80, 443, "6000-6010"]
  description = "TCP ports and ranges that are open. Modules add theirs: lists of all definitions are joined."
  merge       = "unite"
}

option "udp" {
  type        = unique(list(either(port, match("[0-9]+-[0-9]+", "must be a port or a range such as \"6000-6010\""))))
  default     = []
  description = "UDP ports and ranges that are open."
  merge       = "unite"
}

option "trusted_interfaces" {
  type        = unique(list(match("[A-Za-z0-9_.:@-]{1,15}", "must be the name of a network interface")))
  default     = []
  example     = ["wg0"]
  description = "Interfaces from which everything is accepted."
}

option "ping" {
  type        = bool
  default     = true
  description = "Whether ICMP echo requests are answered."
}

option "log" {
  type        = bool
  default     = false
  description = "Whether what is dropped is logged, at most ten packets a minute."
}

option "forward" {
  type        = enum("drop", "accept")
  default     = "drop"
  description = "What becomes of packets that are on their way to another machine."
}

option "input" {
  type        = list(nonempty(string))
  default     = []
  example     = ["ip saddr 192.0.2.0/24 tcp dport 5432 accept"]
  description = "Further rules for what comes in, in the words of nft(8), after the ports and before the drop."
}

# One table of our own, replaced as a whole in one transaction: rules of others
# stay, and at no instant is the machine without rules.
service "unitgen-firewall" {
  Description         = "Packet filter"
  Documentation       = ["man:nft(8)"]
  DefaultDependencies = false
  Wants               = ["network-pre.target"]
  Before              = ["network-pre.target", "shutdown.target"]
  Conflicts           = ["shutdown.target"]
  After               = ["local-fs.target"]
  Type                = "oneshot"
  RemainAfterExit     = true
  ExecStart           = "${option.program} -f %E/unitgen.d/firewall.nft"
  ExecReload          = "${option.program} -f %E/unitgen.d/firewall.nft"
  ExecStop            = "${option.program} delete table inet unitgen"
  WantedBy            = ["sysinit.target"]
  reload_triggers     = [etc["unitgen.d/firewall.nft"]]
}

etc "unitgen.d/firewall.nft" {
  text = <<EOT
# Made by unitgen from the module firewall.
table inet unitgen
delete table inet unitgen
table inet unitgen {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iifname "lo" accept
%{ for i in option.trusted_interfaces ~}
		iifname "${i}" accept
%{ endfor ~}
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-redirect, packet-too-big, time-exceeded, parameter-problem, destination-unreachable } accept
		icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
%{ if option.ping ~}
		icmp type echo-request accept
		icmpv6 type echo-request accept
%{ endif ~}
		udp dport 546 ip6 daddr fe80::/64 accept
%{ if length(option.tcp) > 0 ~}
		tcp dport { ${join(", ", option.tcp)} } accept
%{ endif ~}
%{ if length(option.udp) > 0 ~}
		udp dport { ${join(", ", option.udp)} } accept
%{ endif ~}
%{ for r in option.input ~}
		${r}
%{ endfor ~}
%{ if option.log ~}
		limit rate 10/minute log prefix "dropped: "
%{ endif ~}
	}
	chain forward {
		type filter hook forward priority filter; policy ${option.forward};
	}
}
EOT
}

assert {
  condition = alltrue([for p in concat(option.tcp, option.udp) : try(tonumber(p) <= 65535, tonumber(split("-", p)[0]) < tonumber(split("-", p)[1]) && tonumber(split("-", p)[1]) <= 65535)])
  message   = "A range of ports of the firewall goes from a lower to a higher port, of at most 65535."
}
