# A module as those that come with unitgen, for the tests.
option "names" {
  type    = list(string)
  default = ["a"]
}
option "fail" {
  type    = bool
  default = false
}
generate "units" {
  program = "units.jsonnet"
  input   = { names = option.names, fail = option.fail }
}
etc "bundled.json" {
  jsonnet = "lib/file.libsonnet"
}
etc "bundled.txt" {
  source = "data.txt"
}
