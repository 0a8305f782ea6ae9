run "arguments" {
  config "node_exporter" {
    enable     = true
    address    = "::1"
    collectors = { wifi = false, systemd = true }
    arguments  = ["--a b"]
  }
  assert {
    condition = unit["prometheus-node-exporter.service"].ExecStart == ["/usr/bin/prometheus-node-exporter --web.listen-address=[::1]:9100 --collector.systemd --no-collector.wifi --collector.textfile.directory=%S/node_exporter \"--a b\""]
    message   = "the command line"
  }
}

run "a port that is none" {
  config "node_exporter" {
    enable = true
    port   = 0
  }
  expect {
    message = "from 1 to 65535"
  }
}
