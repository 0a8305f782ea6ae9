package value

import (
	"fmt"
	"io/fs"
	"strconv"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	directive.Mode: func(_ *Context, s string) (string, error) {
		m, err := ParseMode(s)
		return fmt.Sprintf("%04o", uint32(m)), err
	},
})

// ParseMode reads an access mode: octal, up to 7777. The result has the bits
// as chmod(2) has them, set-user-ID as 04000.
func ParseMode(s string) (fs.FileMode, error) {
	t := trimLeftBlank(s)
	n, err := strconv.ParseUint(t, 8, 32)
	if err != nil || n > 0o7777 {
		return 0, wrong(s, "is no access mode", `octal digits up to 7777, such as "0644"`)
	}
	return fs.FileMode(n), nil
}
