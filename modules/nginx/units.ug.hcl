# The prefix is the cache directory, so that nothing is written elsewhere; the
# working directory is the runtime directory, so that a socket of another
# service can be named without knowing where that is.
service "nginx" {
  Description      = "Web server nginx"
  Documentation    = ["man:nginx(8)"]
  Wants            = ["network-online.target"]
  After            = ["network-online.target"]
  Type             = "forking"
  CacheDirectory   = "nginx"
  LogsDirectory    = "nginx"
  WorkingDirectory = "%t"
  PIDFile          = "%C/nginx/nginx.pid"
  ExecStartPre = [
    "/bin/ln -sfn %L/nginx %C/nginx/logs",
    "${option.program} -t -q -e stderr -p %C/nginx -c %E/unitgen.d/nginx.conf",
  ]
  ExecStart = "${option.program} -e stderr -p %C/nginx -c %E/unitgen.d/nginx.conf"
  ExecReload = [
    "${option.program} -t -q -e stderr -p %C/nginx -c %E/unitgen.d/nginx.conf",
    "${option.program} -s reload -e stderr -p %C/nginx -c %E/unitgen.d/nginx.conf",
  ]
  KillMode        = "mixed"
  KillSignal      = "SIGQUIT"
  TimeoutStopSec  = "10s"
  Restart         = default("on-failure")
  PrivateTmp      = default(true)
  WantedBy        = ["multi-user.target"]
  reload_triggers = [etc["unitgen.d/nginx.conf"]]
}

etc "unitgen.d/nginx.conf" {
  text = <<EOT
# Made by unitgen from the module nginx.
user ${option.user};
worker_processes ${option.workers};
pid nginx.pid;
error_log stderr ${option.log_level};

events {
    worker_connections ${option.connections};
}

http {
    include ${option.mime_types};
    default_type application/octet-stream;
    sendfile on;
    server_tokens off;
    access_log ${option.access_log ? "logs/access.log" : "off"};
    client_body_temp_path client_body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
%{ for name, value in option.http ~}
    ${name} ${value};
%{ endfor ~}
%{ for name, site in option.sites ~}

    server {
%{ for address in length(site.listen) > 0 ? site.listen : ["${option.address}:${option.port}"] ~}
        listen ${address}${site.default ? " default_server" : ""};
%{ endfor ~}
        server_name ${join(" ", concat([name], site.names))};
%{ if site.root != null ~}
        root ${site.root};
%{ endif ~}
%{ if site.redirect != null ~}
        return 301 ${site.redirect};
%{ endif ~}
%{ for header, value in site.headers ~}
        add_header ${header} "${value}";
%{ endfor ~}
%{ if site.proxy != null ~}
        location / {
            proxy_pass ${startswith(site.proxy, "unix:") ? "http://${site.proxy}:" : site.proxy};
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }
%{ endif ~}
%{ if site.extra != "" ~}
        ${site.extra}
%{ endif ~}
    }
%{ endfor ~}
}
EOT
}

assert {
  condition = alltrue([for name, site in option.sites : length([for x in [site.root, site.proxy, site.redirect] : x if x != null]) <= 1 || site.redirect == null])
  message   = "A site of nginx that redirects cannot also serve files or pass requests on."
}
