{ unit(name, text):: { ExecStart: '/bin/' + std.rstripChars(text, '\n') + ' ' + name } }
