package verify

import (
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
)

// triggers complains of sockets, timers and paths whose unit is not there, and
// of sockets that do not match their service (systemd.socket(5), Accept=).
func (c *checker) triggers(u *load.Unit) {
	switch u.Type {
	case "socket":
		c.socket(u)
	case "timer", "path", "automount":
		prefix, instance, _, hasAt := unitname.Split(u.Name)
		target := text(u, "Unit")
		if u.Type == "automount" {
			target, _ = unitname.ChangeSuffix(u.Name, "mount")
		}
		if target == "" {
			target, _ = unitname.Build(prefix, instance, "service", hasAt)
		}
		if o := c.opt.Loader.Load(target); o.State == load.NotFound && !c.provides[target] && !Special(target) {
			c.add(diag.Warnf(CodeTrigger, "Unit to activate is missing", at(u, u.TypeSection(), "Unit"),
				"%s activates %s, but there is no such unit. Add it, or name the right one in Unit=.", u.Name, target))
		}
	}
}

func (c *checker) socket(u *load.Unit) {
	accept := flag(u, "Accept")
	service := text(u, "Service")
	prefix, instance, _, hasAt := unitname.Split(u.Name)
	if !listens(u) {
		return // loading says it
	}
	if accept {
		t, err := unitname.Build(prefix, "", "service", true)
		if err != nil || service != "" {
			return // loading says it
		}
		if o := c.opt.Loader.Load(t); o.State == load.NotFound && !c.provides[t] {
			what := "there is no such template"
			if plain := prefix + ".service"; c.opt.Loader.Load(plain).State == load.Loaded {
				what = plain + " is no template"
			}
			c.add(diag.Errorf(CodeTrigger, "Socket without its service", at(u, "Socket", "Accept"),
				"%s has Accept=yes and starts an instance of %s for each connection, but %s. Add the template, or set Accept=no.", u.Name, t, what))
		}
		return
	}
	if service == "" {
		service, _ = unitname.Build(prefix, instance, "service", hasAt)
	}
	if o := c.opt.Loader.Load(service); o.State == load.NotFound && !c.provides[service] && !Special(service) && !Special(u.Name) {
		hint := "Add the service, or name the right one in Service="
		if c.opt.Loader.Load(prefix+"@.service").State == load.Loaded && !hasAt {
			hint = "There is a template " + prefix + "@.service: Accept=yes would start an instance of it for each connection"
		}
		c.add(diag.Errorf(CodeTrigger, "Socket without its service", at(u, "Socket", "Service"),
			"%s activates %s, but there is no such unit. %s.", u.Name, service, hint))
	}
}

var listenDirectives = []string{"ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO", "ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction"}

func listens(u *load.Unit) bool {
	for _, d := range listenDirectives {
		if len(texts(u, d)) > 0 {
			return true
		}
	}
	return false
}
