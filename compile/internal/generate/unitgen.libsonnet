// unitgen.libsonnet: native functions for generate programs. They are as fast
// as + on strings, where std.format and std.manifestIni are interpreted.
{
  // format('%s:%d', ['a', 1]), format('%(host)s', { host: 'a' }): as the % operator.
  format:: std.native('format'),
  // ini({ section: { key: value } }): an INI file.
  ini:: std.native('ini'),
  // json, yaml, toml: a value as text.
  json:: std.native('json'),
  yaml:: std.native('yaml'),
  toml:: std.native('toml'),
  // escape('a/b'), escapePath('/var/log'): for unit names.
  escape:: std.native('escape'),
  escapePath:: std.native('escapePath'),
  // instance('worker@', 'one'): the name of a template's instance.
  instance:: std.native('instance'),
  // execQuote(['prog', 'arg']): words for ExecStart and its kin.
  execQuote:: std.native('execQuote'),
  // shellQuote(['prog', 'arg']): words for a POSIX shell.
  shellQuote:: std.native('shellQuote'),
}
