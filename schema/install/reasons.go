package install

import (
	"fmt"

	"github.com/unitgen/unitgen/schema/unitname"
)

// reason says of a change that failed, for the configuration it comes from,
// what is wrong and what to write instead; systemctl's words are Message's.
func reason(unit string, c Change) string {
	switch c.Kind {
	case BadAlias:
		if c.Source == "" {
			return fmt.Sprintf("The [Install] section of %s names %q, which is no unit that can be referred to. Write a full unit name, such as multi-user.target.", unit, c.Path)
		}
		why := fmt.Sprintf("an alias has the type of its unit, so it must end in .%s", unitname.Type(unit))
		switch {
		case unitname.Type(c.Path) != unitname.Type(unit):
		case unitname.IsTemplate(unit) && !unitname.IsTemplate(c.Path):
			why = "the alias of a template is a template or an instance of one, such as name@." + unitname.Type(unit)
		case unitname.IsTemplate(c.Path):
			why = "the alias of a unit that is no template has no @ before its suffix"
		default:
			why = "systemd.unit(5) does not allow it"
		}
		return fmt.Sprintf("%s cannot have the alias %s: %s. Correct Alias=.", unit, c.Path, why)
	case NotTemplate:
		return fmt.Sprintf("%s is a template and %s, which it wants to be linked into, is not, so DefaultInstance= must name the instance that is meant.", unit, c.Path)
	case BadName:
		return fmt.Sprintf("The [Install] section of %s names %q, which is no unit name. Write a full one, such as multi-user.target.", unit, c.Path)
	case BadSpecifier, Unresolvable:
		return fmt.Sprintf("The [Install] section of %s has a specifier in %q that cannot be expanded. Write the name itself.", unit, c.Path)
	}
	text, _ := c.Message("enable", "->")
	return text
}
